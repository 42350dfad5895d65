using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>Argument of KVM_SIGNAL_MSI.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct kvm_msi
{
    public uint address_lo;
    public uint address_hi;
    public uint data;
    public uint flags;
    public uint devid;
    public fixed byte pad[12];
}
