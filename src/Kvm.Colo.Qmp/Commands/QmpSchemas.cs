using Kvm.Colo.Qmp.Schema;

namespace Kvm.Colo.Qmp.Commands;

/// <summary>The product's schema, put together from its topics.</summary>
internal static class QmpSchemas
{
    /// <summary>Title of the topic whose commands are refused.</summary>
    public const string Unsupported = "Known but not supported";

    private static readonly IReadOnlyList<(string Title, IReadOnlyList<QmpCommand> Commands)> s_topics =
    [
        ("Protocol", ServerCommands.All),
        ("Machine", MachineCommands.All),
        ("Migration", MigrationCommands.All),
        ("Fault tolerance", ColoCommands.All),
        ("Devices", DeviceCommands.All),
        ("Guest memory", GuestMemoryCommands.All),
    ];

    /// <summary>
    /// Topics in the order of the reference page. What a topic has is no longer among the unsupported, whether it was taken from there or not.
    /// </summary>
    public static IReadOnlyList<(string Title, IReadOnlyList<QmpCommand> Commands)> Topics { get; } =
    [
        .. s_topics,
        (Unsupported, [.. OtherCommands.All.Where(static other => !s_topics.Any(topic => topic.Commands.Any(command => command.Name == other.Name)))]),
    ];

    public static QmpSchema Product { get; } = new(Topics.SelectMany(topic => topic.Commands), QmpEvents.All);
}
