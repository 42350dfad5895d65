using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>Extended control registers (KVM_GET_XCRS, vCPU); sixteen at most, each a <see cref="kvm_xcr"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct kvm_xcrs
{
    public uint nr_xcrs;
    public uint flags;
    public fixed byte xcrs[16 * 16];
    public fixed ulong padding[16];
}
