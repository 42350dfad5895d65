namespace Kvm.Colo.Qmp.Hosting;

/// <summary>QAPI <c>MigrationStatus</c>, in its order.</summary>
internal enum QmpMigrationStatus
{
    None,
    Setup,
    Cancelling,
    Cancelled,
    Active,
    PostcopyDevice,
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
