namespace Kvm.Colo.Native;

/// <summary>Numbers of include/uapi/linux/kvm.h and asm/kvm.h that are not request codes.</summary>
internal static class KvmConstants
{
    public const int KVM_API_VERSION = 12;

    public const int KVM_CAP_IRQCHIP = 0;
    public const int KVM_CAP_USER_MEMORY = 3;
    public const int KVM_CAP_SET_TSS_ADDR = 4;
    public const int KVM_CAP_EXT_CPUID = 7;
    public const int KVM_CAP_NR_VCPUS = 9;
    public const int KVM_CAP_MP_STATE = 14;
    public const int KVM_CAP_SYNC_MMU = 16;
    public const int KVM_CAP_IRQ_ROUTING = 25;
    public const int KVM_CAP_IRQFD = 32;
    public const int KVM_CAP_PIT2 = 33;
    public const int KVM_CAP_IOEVENTFD = 36;
    public const int KVM_CAP_SET_IDENTITY_MAP_ADDR = 37;
    public const int KVM_CAP_ADJUST_CLOCK = 39;
    public const int KVM_CAP_VCPU_EVENTS = 41;
    public const int KVM_CAP_DEBUGREGS = 50;
    public const int KVM_CAP_XSAVE = 55;
    public const int KVM_CAP_XCRS = 56;
    public const int KVM_CAP_TSC_CONTROL = 60;
    public const int KVM_CAP_GET_TSC_KHZ = 61;
    public const int KVM_CAP_MAX_VCPUS = 66;
    public const int KVM_CAP_TSC_DEADLINE_TIMER = 72;
    public const int KVM_CAP_SYNC_REGS = 74;
    public const int KVM_CAP_KVMCLOCK_CTRL = 76;
    public const int KVM_CAP_SIGNAL_MSI = 77;
    public const int KVM_CAP_READONLY_MEM = 81;
    public const int KVM_CAP_VCPU_ATTRIBUTES = 127;
    public const int KVM_CAP_IMMEDIATE_EXIT = 136;
    public const int KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 = 168;
    public const int KVM_CAP_DIRTY_LOG_RING = 192;
    public const int KVM_CAP_SREGS2 = 200;
    public const int KVM_CAP_XSAVE2 = 208;
    public const int KVM_CAP_X86_TRIPLE_FAULT_EVENT = 218;
    public const int KVM_CAP_DIRTY_LOG_RING_ACQ_REL = 223;

    public const uint KVM_EXIT_UNKNOWN = 0;
    public const uint KVM_EXIT_EXCEPTION = 1;
    public const uint KVM_EXIT_IO = 2;
    public const uint KVM_EXIT_HYPERCALL = 3;
    public const uint KVM_EXIT_DEBUG = 4;
    public const uint KVM_EXIT_HLT = 5;
    public const uint KVM_EXIT_MMIO = 6;
    public const uint KVM_EXIT_IRQ_WINDOW_OPEN = 7;
    public const uint KVM_EXIT_SHUTDOWN = 8;
    public const uint KVM_EXIT_FAIL_ENTRY = 9;
    public const uint KVM_EXIT_INTR = 10;
    public const uint KVM_EXIT_SYSTEM_EVENT = 24;
    public const uint KVM_EXIT_INTERNAL_ERROR = 17;
    public const uint KVM_EXIT_IOAPIC_EOI = 26;
    public const uint KVM_EXIT_DIRTY_RING_FULL = 31;

    public const uint KVM_SYNC_X86_REGS = 1;
    public const uint KVM_SYNC_X86_SREGS = 2;

    public const uint KVM_MEM_LOG_DIRTY_PAGES = 1;
    public const uint KVM_MEM_READONLY = 2;
    public const uint KVM_PIT_SPEAKER_DUMMY = 1;
    public const uint KVM_IRQ_ROUTING_IRQCHIP = 1;
    public const uint KVM_IRQCHIP_PIC_MASTER = 0;
    public const uint KVM_IRQCHIP_PIC_SLAVE = 1;
    public const uint KVM_IRQCHIP_IOAPIC = 2;
    public const uint KVM_MP_STATE_RUNNABLE = 0;
    public const uint KVM_MP_STATE_UNINITIALIZED = 1;
    public const uint KVM_MP_STATE_HALTED = 3;
    public const uint KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE = 1;
    public const uint KVM_DIRTY_LOG_INITIALLY_SET = 2;
    public const uint KVM_DIRTY_GFN_F_DIRTY = 1;
    public const uint KVM_DIRTY_GFN_F_RESET = 2;
    public const uint KVM_DIRTY_LOG_PAGE_OFFSET = 64;
    public const uint KVM_IOEVENTFD_FLAG_DATAMATCH = 1;
    public const uint KVM_IOEVENTFD_FLAG_DEASSIGN = 4;
    public const uint KVM_CPUID_FLAG_SIGNIFCANT_INDEX = 1;
    public const uint KVM_INTERNAL_ERROR_EMULATION = 1;
    public const uint KVM_VCPU_TSC_CTRL = 0;
    public const ulong KVM_VCPU_TSC_OFFSET = 0;
    public const byte KVM_EXIT_IO_OUT = 1;
}
