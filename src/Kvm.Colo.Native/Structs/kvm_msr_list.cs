using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>Header of an MSR index list; the 32-bit indexes follow it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct kvm_msr_list
{
    public uint nmsrs;
}
