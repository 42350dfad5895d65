using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>A memory slot (KVM_SET_USER_MEMORY_REGION, VM); sizes and addresses in bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct kvm_userspace_memory_region
{
    public uint slot;
    public uint flags;
    public ulong guest_phys_addr;
    public ulong memory_size;
    public ulong userspace_addr;
}
