namespace Kvm.Colo.Machine;

/// <summary>How a machine ended: the process's exit status and why.</summary>
internal sealed record MachineEnd(int ExitStatus, ShutdownCause Cause);
