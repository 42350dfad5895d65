using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>GDT or IDT register.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct kvm_dtable
{
    public ulong @base;
    public ushort limit;
    public fixed ushort padding[3];
}
