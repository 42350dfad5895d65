namespace Kvm.Colo.Qmp.Hosting;

/// <summary>QAPI <c>RunState</c>, in its order.</summary>
internal enum QmpRunState
{
    Debug,
    InMigrate,
    InternalError,
    IoError,
    Paused,
    PostMigrate,
    Prelaunch,
    FinishMigrate,
    RestoreVm,
    Running,
    SaveVm,
    Shutdown,
    Suspended,
    Watchdog,
    GuestPanicked,
    Colo,
}
