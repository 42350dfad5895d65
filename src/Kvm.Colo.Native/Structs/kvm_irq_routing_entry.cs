using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>Where one GSI goes: an interrupt chip pin or an MSI.</summary>
[StructLayout(LayoutKind.Explicit, Size = 48)]
internal struct kvm_irq_routing_entry
{
    [FieldOffset(0)]
    public uint gsi;

    [FieldOffset(4)]
    public uint type;

    [FieldOffset(8)]
    public uint flags;

    [FieldOffset(16), KernelField("u.irqchip.irqchip")]
    public uint u_irqchip_irqchip;

    [FieldOffset(20), KernelField("u.irqchip.pin")]
    public uint u_irqchip_pin;

    [FieldOffset(16), KernelField("u.msi.address_lo")]
    public uint u_msi_address_lo;

    [FieldOffset(20), KernelField("u.msi.address_hi")]
    public uint u_msi_address_hi;

    [FieldOffset(24), KernelField("u.msi.data")]
    public uint u_msi_data;
}
