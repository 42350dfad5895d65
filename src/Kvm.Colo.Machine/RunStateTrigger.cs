namespace Kvm.Colo.Machine;

/// <summary>
/// Everything that may change a run state or be asked in one. Where an action set by <c>set-action</c> or the side of a pair decides
/// what follows, there is a trigger for each case, so that the table needs no conditions.
/// </summary>
internal enum RunStateTrigger
{
    Stop,
    Cont,
    SystemReset,
    SystemPowerdown,
    SystemWakeup,
    Quit,
    HostSignal,
    HostError,

    SecondaryStop,
    SecondaryCont,
    SecondaryContWhilePrimaryStands,
    SecondaryReset,
    SecondaryPowerdown,

    GuestReset,
    GuestResetEnds,
    GuestOff,
    GuestOffKept,
    GuestPanicPauses,
    GuestPanicEnds,
    GuestPanicRuns,
    GuestCrashLoaded,
    GuestFailure,
    DiskError,
    SecondaryGuestRequest,
    GuestSleep,
    WatchdogExpires,
    Breakpoint,
    Snapshot,

    IncomingStart,
    MigrationArrives,
    MigrationArrivesHeld,
    ArrivalFails,
    LoadFails,
    Switchover,
    MigrationCompletes,
    MigrationFails,
    MigrationFailsHeld,
    MigrateCancel,
    Migrate,

    Protect,
    SessionCut,
    SessionCutEnd,
    CheckpointCut,
    CheckpointEnd,
    SessionLoad,
    EpochBegin,
    EpochEnd,
    EpochEndHeld,
    EpochFails,
    FailoverRequest,
    TakeOver,
    LinkLoss,
    PeerOff,
    PeerOffKept,
    PeerQuit,
}
