using Kvm.Colo.Native;

namespace Kvm.Colo.Kvm;

/// <summary>Why KVM_RUN came back (kvm_run.exit_reason); others are reported by number.</summary>
internal enum ExitReason : uint
{
    Unknown = KvmConstants.KVM_EXIT_UNKNOWN,
    PortIo = KvmConstants.KVM_EXIT_IO,
    Hypercall = KvmConstants.KVM_EXIT_HYPERCALL,
    Debug = KvmConstants.KVM_EXIT_DEBUG,
    Halt = KvmConstants.KVM_EXIT_HLT,
    Mmio = KvmConstants.KVM_EXIT_MMIO,
    InterruptWindow = KvmConstants.KVM_EXIT_IRQ_WINDOW_OPEN,
    Shutdown = KvmConstants.KVM_EXIT_SHUTDOWN,
    FailEntry = KvmConstants.KVM_EXIT_FAIL_ENTRY,
    Interrupted = KvmConstants.KVM_EXIT_INTR,
    InternalError = KvmConstants.KVM_EXIT_INTERNAL_ERROR,
    SystemEvent = KvmConstants.KVM_EXIT_SYSTEM_EVENT,
    DirtyRingFull = KvmConstants.KVM_EXIT_DIRTY_RING_FULL,
}
