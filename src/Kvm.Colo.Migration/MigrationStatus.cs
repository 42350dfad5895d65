namespace Kvm.Colo.Migration;

/// <summary>Where a migration stands (QAPI MigrationStatus).</summary>
internal enum MigrationStatus
{
    None,
    Setup,
    Cancelling,
    Cancelled,
    Active,
    PostcopyActive,
    PostcopyPaused,
    PostcopyRecoverSetup,
    PostcopyRecover,
    Completed,
    Failing,
    Failed,
    Colo,
    PreSwitchover,
    Device,
    WaitUnplug,
}
