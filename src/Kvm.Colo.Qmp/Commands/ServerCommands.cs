using Kvm.Colo.Qmp.Schema;
using static Kvm.Colo.Qmp.Schema.QmpMembers;

namespace Kvm.Colo.Qmp.Commands;

/// <summary>Commands about the socket itself.</summary>
internal static class ServerCommands
{
    private static readonly QmpMember<IReadOnlyList<QmpCapability>> s_enable = OptionalArgument("enable",
        QmpTypes.ListOf(ServerTypes.Capability), "capabilities of the protocol to switch on");

    /// <summary>Ends negotiation; the session does the work, for it is the session that changes.</summary>
    public static readonly QmpCommand Negotiate = QmpCommand.Action("qmp_capabilities", QmpCommandThread.Snapshot,
        "Ends negotiation: from here on commands run and events come. The first command of every session.",
        static _ => { }, s_enable);

    public static IReadOnlyList<QmpCommand> All { get; } =
    [
        Negotiate,
        QmpCommand.Query("query-version", QmpCommandThread.Snapshot, ServerTypes.Version,
            "The QEMU version whose protocol is spoken, and this product's own version.",
            static call => call.Server.Options),
        QmpCommand.Query("query-commands", QmpCommandThread.Snapshot, QmpTypes.ListOf(ServerTypes.CommandInfo),
            "Names of all commands.", static call => call.Server.Schema.Commands),
        QmpCommand.Query("query-qmp-schema", QmpCommandThread.Snapshot, ServerTypes.SchemaInfo,
            "All commands, events and types for programs; type names other than the builtin ones are masked.",
            static call => call.Server.Schema),
    ];

    public static bool EnablesOutOfBand(QmpCall call) => call.Values.FindReference(s_enable) is { Count: > 0 };
}
