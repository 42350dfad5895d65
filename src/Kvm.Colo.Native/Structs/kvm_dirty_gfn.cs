using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>One entry of a vCPU's dirty ring (offset in pages within the slot).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct kvm_dirty_gfn
{
    public uint flags;
    public uint slot;
    public ulong offset;
}
