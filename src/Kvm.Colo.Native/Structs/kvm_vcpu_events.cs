using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>Exceptions, interrupts, NMI, SMI and SIPI in flight (KVM_GET_VCPU_EVENTS, vCPU).</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct kvm_vcpu_events
{
    [FieldOffset(0), KernelField("exception.injected")]
    public byte exception_injected;

    [FieldOffset(1), KernelField("exception.nr")]
    public byte exception_nr;

    [FieldOffset(2), KernelField("exception.has_error_code")]
    public byte exception_has_error_code;

    [FieldOffset(3), KernelField("exception.pending")]
    public byte exception_pending;

    [FieldOffset(4), KernelField("exception.error_code")]
    public uint exception_error_code;

    [FieldOffset(8), KernelField("interrupt.injected")]
    public byte interrupt_injected;

    [FieldOffset(9), KernelField("interrupt.nr")]
    public byte interrupt_nr;

    [FieldOffset(10), KernelField("interrupt.soft")]
    public byte interrupt_soft;

    [FieldOffset(11), KernelField("interrupt.shadow")]
    public byte interrupt_shadow;

    [FieldOffset(12), KernelField("nmi.injected")]
    public byte nmi_injected;

    [FieldOffset(13), KernelField("nmi.pending")]
    public byte nmi_pending;

    [FieldOffset(14), KernelField("nmi.masked")]
    public byte nmi_masked;

    [FieldOffset(15), KernelField("nmi.pad")]
    public byte nmi_pad;

    [FieldOffset(16)]
    public uint sipi_vector;

    [FieldOffset(20)]
    public uint flags;

    [FieldOffset(24), KernelField("smi.smm")]
    public byte smi_smm;

    [FieldOffset(25), KernelField("smi.pending")]
    public byte smi_pending;

    [FieldOffset(26), KernelField("smi.smm_inside_nmi")]
    public byte smi_smm_inside_nmi;

    [FieldOffset(27), KernelField("smi.latched_init")]
    public byte smi_latched_init;

    [FieldOffset(28), KernelField("triple_fault.pending")]
    public byte triple_fault_pending;

    [FieldOffset(55)]
    public byte exception_has_payload;

    [FieldOffset(56)]
    public ulong exception_payload;
}
