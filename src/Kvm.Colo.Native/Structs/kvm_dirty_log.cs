using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>Argument of KVM_GET_DIRTY_LOG; one bit per page.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct kvm_dirty_log
{
    public uint slot;
    public uint padding1;
    public ulong dirty_bitmap;
}
