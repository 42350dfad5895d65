namespace Kvm.Colo.Machine;

/// <summary>What the machine does on a transition; <see cref="VirtualMachine"/> carries it out.</summary>
internal enum RunStateAction
{
    /// <summary>Only the state changes.</summary>
    None,
    StartVcpus,
    StopVcpus,
    RememberStart,
    ForgetStart,
    RememberStop,
    Hold,
    HoldAndStop,
    Unhold,
    UnholdAndStart,
    Reset,
    End,
    KeepOff,
    PanicStop,
    PanicEnd,
    PanicReport,
    CrashReport,
    PressPowerButton,
    Capture,
    Resume,
    Load,
    Defer,
    CarryOutDeferred,
}
