using System.Runtime.CompilerServices;

namespace Kvm.Colo.Native;

/// <summary>
/// Request codes of /dev/kvm, each derived from the struct it carries: a struct of the wrong size gives a code the kernel refuses.
/// Source: include/uapi/linux/kvm.h.
/// </summary>
internal static class KvmIoctl
{
    public static readonly uint KVM_GET_API_VERSION = None(0x00);
    public static readonly uint KVM_CREATE_VM = None(0x01);
    public static readonly uint KVM_GET_MSR_INDEX_LIST = ReadWrite<kvm_msr_list>(0x02);
    public static readonly uint KVM_CHECK_EXTENSION = None(0x03);
    public static readonly uint KVM_GET_VCPU_MMAP_SIZE = None(0x04);
    public static readonly uint KVM_GET_SUPPORTED_CPUID = ReadWrite<kvm_cpuid2>(0x05);
    public static readonly uint KVM_CREATE_VCPU = None(0x41);
    public static readonly uint KVM_GET_DIRTY_LOG = Write<kvm_dirty_log>(0x42);
    public static readonly uint KVM_SET_USER_MEMORY_REGION = Write<kvm_userspace_memory_region>(0x46);
    public static readonly uint KVM_SET_TSS_ADDR = None(0x47);
    public static readonly uint KVM_SET_IDENTITY_MAP_ADDR = Write<ulong>(0x48);
    public static readonly uint KVM_CREATE_IRQCHIP = None(0x60);
    public static readonly uint KVM_IRQ_LINE = Write<kvm_irq_level>(0x61);
    public static readonly uint KVM_GET_IRQCHIP = ReadWrite<kvm_irqchip>(0x62);
    public static readonly uint KVM_SET_IRQCHIP = Read<kvm_irqchip>(0x63);
    public static readonly uint KVM_SET_GSI_ROUTING = Write<kvm_irq_routing>(0x6a);
    public static readonly uint KVM_IRQFD = Write<kvm_irqfd>(0x76);
    public static readonly uint KVM_CREATE_PIT2 = Write<kvm_pit_config>(0x77);
    public static readonly uint KVM_IOEVENTFD = Write<kvm_ioeventfd>(0x79);
    public static readonly uint KVM_SET_CLOCK = Write<kvm_clock_data>(0x7b);
    public static readonly uint KVM_GET_CLOCK = Read<kvm_clock_data>(0x7c);
    public static readonly uint KVM_RUN = None(0x80);
    public static readonly uint KVM_GET_REGS = Read<kvm_regs>(0x81);
    public static readonly uint KVM_SET_REGS = Write<kvm_regs>(0x82);
    public static readonly uint KVM_GET_SREGS = Read<kvm_sregs>(0x83);
    public static readonly uint KVM_SET_SREGS = Write<kvm_sregs>(0x84);
    public static readonly uint KVM_GET_MSRS = ReadWrite<kvm_msrs>(0x88);
    public static readonly uint KVM_SET_MSRS = Write<kvm_msrs>(0x89);
    public static readonly uint KVM_GET_LAPIC = Read<kvm_lapic_state>(0x8e);
    public static readonly uint KVM_SET_LAPIC = Write<kvm_lapic_state>(0x8f);
    public static readonly uint KVM_SET_CPUID2 = Write<kvm_cpuid2>(0x90);
    public static readonly uint KVM_GET_CPUID2 = ReadWrite<kvm_cpuid2>(0x91);
    public static readonly uint KVM_GET_MP_STATE = Read<kvm_mp_state>(0x98);
    public static readonly uint KVM_SET_MP_STATE = Write<kvm_mp_state>(0x99);
    public static readonly uint KVM_NMI = None(0x9a);
    public static readonly uint KVM_GET_VCPU_EVENTS = Read<kvm_vcpu_events>(0x9f);
    public static readonly uint KVM_GET_PIT2 = Read<kvm_pit_state2>(0x9f);
    public static readonly uint KVM_SET_VCPU_EVENTS = Write<kvm_vcpu_events>(0xa0);
    public static readonly uint KVM_SET_PIT2 = Write<kvm_pit_state2>(0xa0);
    public static readonly uint KVM_GET_DEBUGREGS = Read<kvm_debugregs>(0xa1);
    public static readonly uint KVM_SET_DEBUGREGS = Write<kvm_debugregs>(0xa2);
    public static readonly uint KVM_SET_TSC_KHZ = None(0xa2);
    public static readonly uint KVM_GET_TSC_KHZ = None(0xa3);
    public static readonly uint KVM_ENABLE_CAP = Write<kvm_enable_cap>(0xa3);
    public static readonly uint KVM_SIGNAL_MSI = Write<kvm_msi>(0xa5);
    public static readonly uint KVM_GET_XCRS = Read<kvm_xcrs>(0xa6);
    public static readonly uint KVM_SET_XCRS = Write<kvm_xcrs>(0xa7);
    public static readonly uint KVM_KVMCLOCK_CTRL = None(0xad);
    public static readonly uint KVM_CLEAR_DIRTY_LOG = ReadWrite<kvm_clear_dirty_log>(0xc0);
    public static readonly uint KVM_RESET_DIRTY_RINGS = None(0xc7);
    public static readonly uint KVM_GET_SREGS2 = Read<kvm_sregs2>(0xcc);
    public static readonly uint KVM_SET_SREGS2 = Write<kvm_sregs2>(0xcd);
    public static readonly uint KVM_SET_DEVICE_ATTR = Write<kvm_device_attr>(0xe1);
    public static readonly uint KVM_GET_DEVICE_ATTR = Write<kvm_device_attr>(0xe2);
    public static readonly uint KVM_HAS_DEVICE_ATTR = Write<kvm_device_attr>(0xe3);

    /// <summary>KVM_GET_XSAVE2 carries a flexible array, so its code names kvm_xsave's 4,096 bytes while the kernel fills KVM_CAP_XSAVE2 of them.</summary>
    public static readonly uint KVM_GET_XSAVE2 = Encode(2, 4096, 0xcf);
    public static readonly uint KVM_GET_XSAVE = Encode(2, 4096, 0xa4);
    public static readonly uint KVM_SET_XSAVE = Encode(1, 4096, 0xa5);

    private static uint None(byte number) => Encode(0, 0, number);

    private static uint Read<T>(byte number)
        where T : unmanaged => Encode(2, Unsafe.SizeOf<T>(), number);

    private static uint Write<T>(byte number)
        where T : unmanaged => Encode(1, Unsafe.SizeOf<T>(), number);

    private static uint ReadWrite<T>(byte number)
        where T : unmanaged => Encode(3, Unsafe.SizeOf<T>(), number);

    private static uint Encode(uint direction, int sizeBytes, byte number) =>
        (direction << 30) | ((uint)sizeBytes << 16) | (0xAEu << 8) | number;
}
