namespace Kvm.Colo.Qmp.Hosting;

/// <summary>The data of an event that has none.</summary>
internal readonly record struct QmpNothing;

/// <summary>Data of SHUTDOWN and RESET.</summary>
internal readonly record struct QmpShutdownEvent(bool Guest, QmpShutdownCause Reason);

/// <summary>QAPI <c>ShutdownCause</c>, in its order.</summary>
internal enum QmpShutdownCause
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
    SnapshotLoad,
}

/// <summary>QAPI <c>GuestPanicAction</c>.</summary>
internal enum QmpGuestPanicAction
{
    Pause,
    PowerOff,
    Run,
}

/// <summary>Data of COLO_EXIT.</summary>
internal readonly record struct QmpColoExitEvent(QmpColoMode Mode, QmpColoExitReason Reason);

/// <summary>Data of a committed checkpoint; the pause in nanoseconds. A secondary is not told the cause.</summary>
internal readonly record struct QmpCheckpointEvent(
    ulong Epoch, QmpCheckpointCause? Cause, ulong DirtyPages, ulong Bytes, ulong PauseNanoseconds);

/// <summary>Data of a lost peer; the mode is this side's.</summary>
internal readonly record struct QmpPeerLostEvent(QmpColoMode Mode, string Reason);

/// <summary>Data of a step of the failover machine; the mode is this side's.</summary>
internal readonly record struct QmpFailoverEvent(QmpColoMode Mode, QmpFailoverState State, QmpColoExitReason Reason);

/// <summary>Data of BLOCK_IO_ERROR.</summary>
internal readonly record struct QmpBlockIoErrorEvent(
    string QomPath, string Device, string? NodeName, QmpIoOperation Operation, QmpBlockErrorAction Action, bool? NoSpace,
    string Reason);

/// <summary>QAPI <c>IoOperationType</c>.</summary>
internal enum QmpIoOperation
{
    Read,
    Write,
}

/// <summary>QAPI <c>BlockErrorAction</c>.</summary>
internal enum QmpBlockErrorAction
{
    Ignore,
    Report,
    Stop,
}
