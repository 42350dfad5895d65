using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>Header of a GSI routing table; the <see cref="kvm_irq_routing_entry"/> elements follow it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct kvm_irq_routing
{
    public uint nr;
    public uint flags;
}
