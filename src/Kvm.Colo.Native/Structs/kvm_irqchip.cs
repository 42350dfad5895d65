using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>One in-kernel interrupt chip: 0 PIC master, 1 PIC slave, 2 IOAPIC (KVM_GET_IRQCHIP, VM).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct kvm_irqchip
{
    public uint chip_id;
    public uint pad;
    public fixed byte chip[512];
}
