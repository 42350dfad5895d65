using Kvm.Colo.Qmp.Commands;
using Kvm.Colo.Qmp.Hosting;
using Kvm.Colo.Qmp.Schema;
using static Kvm.Colo.Qmp.Schema.QmpMembers;

namespace Kvm.Colo.Qmp;

/// <summary>Every event there is, declared once.</summary>
internal static class QmpEvents
{
    private static readonly QmpObject<QmpShutdownEvent> s_shutdown = new("ShutdownEventData", create: null,
        Field("guest", QmpTypes.Bool, (QmpShutdownEvent e) => e.Guest, "true when the guest asked for it"),
        Field("reason", MachineTypes.ShutdownCause, (QmpShutdownEvent e) => e.Reason));

    private static readonly QmpObject<QmpColoMode> s_mode = new("ColoModeData", create: null,
        Field("mode", ColoTypes.Mode, (QmpColoMode mode) => mode));

    public static readonly QmpEvent<QmpNothing> Stop = new("STOP", "The virtual machine's vCPUs have stopped.", data: null);

    public static readonly QmpEvent<QmpNothing> Resume = new("RESUME", "The virtual machine's vCPUs run again.", data: null);

    public static readonly QmpEvent<QmpShutdownEvent> Shutdown = new(
        "SHUTDOWN", "The virtual machine has been or is about to be shut down.", s_shutdown);

    public static readonly QmpEvent<QmpShutdownEvent> Reset = new("RESET", "The virtual machine has been reset.", s_shutdown);

    public static readonly QmpEvent<QmpNothing> PowerDown = new(
        "POWERDOWN", "The ACPI power button has been pressed.", data: null);

    public static readonly QmpEvent<QmpNothing> Suspend = new("SUSPEND", "The guest has entered S3.", data: null);

    public static readonly QmpEvent<QmpNothing> WakeUp = new("WAKEUP", "The guest has left S3.", data: null);

    public static readonly QmpEvent<QmpWatchdogAction> Watchdog = new("WATCHDOG", "The watchdog has expired.",
        new QmpObject<QmpWatchdogAction>("WatchdogData", create: null,
            Field("action", MachineTypes.WatchdogAction, (QmpWatchdogAction action) => action)))
    { RateKey = static _ => "" };

    public static readonly QmpEvent<QmpGuestPanicAction> GuestPanicked = new("GUEST_PANICKED", "The guest has panicked.",
        new QmpObject<QmpGuestPanicAction>("GuestPanickedData", create: null,
            Field("action", MachineTypes.GuestPanicAction, (QmpGuestPanicAction action) => action)));

    public static readonly QmpEvent<QmpGuestPanicAction> GuestCrashLoaded = new("GUEST_CRASHLOADED",
        "The guest has crashed and its crash kernel takes over.",
        new QmpObject<QmpGuestPanicAction>("GuestCrashloadedData", create: null,
            Field("action", MachineTypes.GuestPanicAction, (QmpGuestPanicAction action) => action, "`run`")));

    public static readonly QmpEvent<QmpMigrationStatus> Migration = new("MIGRATION",
        "The migration's state has changed; needs the capability `events`.",
        new QmpObject<QmpMigrationStatus>("MigrationData", create: null,
            Field("status", MigrationTypes.Status, (QmpMigrationStatus status) => status)));

    public static readonly QmpEvent<long> MigrationPass = new("MIGRATION_PASS",
        "A pass over guest memory has begun; needs the capability `events`. Counts COLO checkpoints on the primary too.",
        new QmpObject<long>("MigrationPassData", create: null,
            Field("pass", QmpTypes.Int, (long pass) => pass, "from 1")));

    public static readonly QmpEvent<QmpColoExitEvent> ColoExit = new("COLO_EXIT", "This side has left COLO.",
        new QmpObject<QmpColoExitEvent>("ColoExitData", create: null,
            Field("mode", ColoTypes.Mode, (QmpColoExitEvent e) => e.Mode, "which side this was"),
            Field("reason", ColoTypes.ExitReason, (QmpColoExitEvent e) => e.Reason, "`request` or `error`")));

    public static readonly QmpEvent<QmpBlockIoErrorEvent> BlockIoError = new("BLOCK_IO_ERROR",
        "A disk request has failed.",
        new QmpObject<QmpBlockIoErrorEvent>("BlockIoErrorData", create: null,
            Field("qom-path", QmpTypes.Str, (QmpBlockIoErrorEvent e) => e.QomPath),
            Field("device", QmpTypes.Str, (QmpBlockIoErrorEvent e) => e.Device),
            OptionalReference("node-name", QmpTypes.Str, (QmpBlockIoErrorEvent e) => e.NodeName),
            Field("operation", DeviceTypes.IoOperation, (QmpBlockIoErrorEvent e) => e.Operation),
            Field("action", DeviceTypes.IoErrorAction, (QmpBlockIoErrorEvent e) => e.Action),
            OptionalValue("nospace", QmpTypes.Bool, (QmpBlockIoErrorEvent e) => e.NoSpace),
            Field("reason", QmpTypes.Str, (QmpBlockIoErrorEvent e) => e.Reason, "for people, not for programs")))
    { RateKey = static e => e.Action == QmpBlockErrorAction.Stop ? null : e.QomPath };

    public static readonly QmpEvent<QmpColoMode> ColoEntered = new("__org.colo-vm_COLO_ENTERED",
        "This side has entered COLO: the guest is protected from the first checkpoint on.", s_mode);

    public static readonly QmpEvent<QmpCheckpointEvent> Checkpoint = new("__org.colo-vm_CHECKPOINT",
        "A checkpoint has been committed; at most one such event in a second is sent, the last.",
        new QmpObject<QmpCheckpointEvent>("CheckpointData", create: null,
            Field("epoch", QmpTypes.UInt64, (QmpCheckpointEvent e) => e.Epoch),
            OptionalValue("cause", ColoTypes.CheckpointCause, (QmpCheckpointEvent e) => e.Cause, "on the primary"),
            Field("dirty-pages", QmpTypes.UInt64, (QmpCheckpointEvent e) => e.DirtyPages),
            Field("bytes", QmpTypes.Size, (QmpCheckpointEvent e) => e.Bytes),
            Field("pause-ns", QmpTypes.UInt64, (QmpCheckpointEvent e) => e.PauseNanoseconds)))
    { RateKey = static _ => "" };

    public static readonly QmpEvent<QmpPeerLostEvent> PeerLost = new("__org.colo-vm_PEER_LOST",
        "The link to the other side is lost. What follows is the failover policy's decision.",
        new QmpObject<QmpPeerLostEvent>("PeerLostData", create: null,
            Field("mode", ColoTypes.Mode, (QmpPeerLostEvent e) => e.Mode, "which side this is"),
            Field("reason", QmpTypes.Str, (QmpPeerLostEvent e) => e.Reason, "for people, not for programs")));

    public static readonly QmpEvent<QmpFailoverEvent> Failover = new("__org.colo-vm_FAILOVER",
        "The failover machine has changed its state.",
        new QmpObject<QmpFailoverEvent>("FailoverData", create: null,
            Field("mode", ColoTypes.Mode, (QmpFailoverEvent e) => e.Mode, "which side this is"),
            Field("state", ColoTypes.FailoverState, (QmpFailoverEvent e) => e.State),
            Field("reason", ColoTypes.ExitReason, (QmpFailoverEvent e) => e.Reason)));

    public static readonly QmpEvent<ulong> EventsLost = new("__org.colo-vm_EVENTS_LOST",
        "This client read too slowly: events before this one were not sent to it.",
        new QmpObject<ulong>("EventsLostData", create: null,
            Field("count", QmpTypes.UInt64, (ulong count) => count, "how many")));

    public static IEnumerable<QmpEvent> All =>
    [
        Stop, Resume, Shutdown, Reset, PowerDown, Suspend, WakeUp, Watchdog, GuestPanicked, GuestCrashLoaded, BlockIoError,
        GuestMemoryCommands.Changed,
        Migration, MigrationPass, ColoExit, ColoEntered, Checkpoint, PeerLost, Failover, EventsLost,
    ];
}
