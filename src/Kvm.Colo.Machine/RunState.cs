namespace Kvm.Colo.Machine;

/// <summary>What the VM is doing, with QEMU's names (QAPI RunState).</summary>
internal enum RunState
{
    Prelaunch,
    InMigrate,
    Running,
    Paused,
    Suspended,
    Debug,
    IoError,
    InternalError,
    Watchdog,
    GuestPanicked,
    Shutdown,
    FinishMigrate,
    PostMigrate,
    SaveVm,
    RestoreVm,
    Colo,
}
