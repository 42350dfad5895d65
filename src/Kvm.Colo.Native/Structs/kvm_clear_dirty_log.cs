using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>Argument of KVM_CLEAR_DIRTY_LOG; first_page and num_pages are multiples of 64 or reach the end of the slot.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct kvm_clear_dirty_log
{
    public uint slot;
    public uint num_pages;
    public ulong first_page;
    public ulong dirty_bitmap;
}
