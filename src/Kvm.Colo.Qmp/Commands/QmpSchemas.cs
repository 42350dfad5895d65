using Kvm.Colo.Qmp.Schema;

namespace Kvm.Colo.Qmp.Commands;

/// <summary>The product's schema, put together from its topics.</summary>
internal static class QmpSchemas
{
    /// <summary>Topics in the order of the reference page.</summary>
    public static IReadOnlyList<(string Title, IReadOnlyList<QmpCommand> Commands)> Topics { get; } =
    [
        ("Protocol", ServerCommands.All),
        ("Machine", MachineCommands.All),
        ("Migration", MigrationCommands.All),
        ("Fault tolerance", ColoCommands.All),
        ("Devices", DeviceCommands.All),
        ("Guest memory", GuestMemoryCommands.All),
        ("Known but not supported", OtherCommands.All),
    ];

    public static QmpSchema Product { get; } = new(Topics.SelectMany(topic => topic.Commands), QmpEvents.All);
}
