using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>One extended control register.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct kvm_xcr
{
    public uint xcr;
    public uint reserved;
    public ulong value;
}
