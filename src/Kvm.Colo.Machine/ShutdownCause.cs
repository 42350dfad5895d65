namespace Kvm.Colo.Machine;

/// <summary>Why a machine ends or resets (QAPI ShutdownCause).</summary>
internal enum ShutdownCause
{
    None,
    HostError,
    HostQmpQuit,
    HostQmpSystemReset,
    HostSignal,
    HostUi,
    GuestShutdown,
    GuestReset,
    GuestPanic,
    SubsystemReset,
}
