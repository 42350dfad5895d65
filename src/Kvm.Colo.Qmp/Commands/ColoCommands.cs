using Kvm.Colo.Qmp.Hosting;
using Kvm.Colo.Qmp.Schema;
using static Kvm.Colo.Qmp.Schema.QmpCommandThread;
using static Kvm.Colo.Qmp.Schema.QmpMembers;

namespace Kvm.Colo.Qmp.Commands;

/// <summary>Commands about fault tolerance.</summary>
internal static class ColoCommands
{
    private static readonly QmpMember<bool> s_enable = Argument("enable", QmpTypes.Bool, "start or stop replication");

    private static readonly QmpMember<bool> s_primary = Argument("primary", QmpTypes.Bool, "which side this is");

    private static readonly QmpMember<bool> s_failover = OptionalArgument("failover", QmpTypes.Bool,
        "keep the secondary's data when stopping; only with `enable` false");

    public static IReadOnlyList<QmpCommand> All { get; } =
    [
        QmpCommand.Query("query-colo-status", Snapshot, ColoTypes.Status, "What this side is, was, and why it left COLO.",
            static call => call.Host.Colo.Status),
        QmpCommand.Action("x-colo-lost-heartbeat", ControlLoop, QmpFeatures.Unstable, takesOtherArguments: false,
            "The other side is dead: this one lives on alone. Whoever sends it must know that the other one is, or both live.",
            static call => call.Host.Colo.LostHeartbeat()),
        QmpCommand.Query("query-colo-statistics", Snapshot, ColoTypes.Statistics,
            "Figures of the current or last COLO session: epochs, causes, dirty pages, bytes, times. Ours.",
            static call => call.Host.Colo.Statistics ?? new QmpColoStatistics { Mode = QmpColoMode.None }),
        QmpCommand.Action("__org.colo-vm_checkpoint", ControlLoop,
            "Asks for a COLO checkpoint now, on the primary; returns before it is done. Ours.",
            static call => call.Host.Colo.RequestCheckpoint()),
        QmpCommand.Action("xen-set-replication", ControlLoop, "Starts or stops replication of disks.", SetReplication,
            s_enable, s_primary, s_failover),
        QmpCommand.Query("query-xen-replication-status", Snapshot, ColoTypes.ReplicationStatus,
            "Whether a replicated disk has an error.", static call => call.Host.Colo.ReplicationError ?? ""),
        QmpCommand.Action("xen-colo-do-checkpoint", ControlLoop, "A checkpoint of disks and network filters without the machine.",
            static call => call.Host.Colo.CheckpointReplication()),
    ];

    private static void SetReplication(QmpCall call)
    {
        bool enable = call.Values.Get(s_enable);
        if (enable && call.Values.Has(s_failover))
            throw new QmpCommandException("Parameter 'failover' is only for stopping replication");
        call.Host.Colo.SetReplication(enable, call.Values.Get(s_primary), call.Values.Get(s_failover, fallback: false));
    }
}
