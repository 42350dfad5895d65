using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>Argument of KVM_IRQ_LINE.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct kvm_irq_level
{
    public uint irq;
    public uint level;
}
