using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>Header of an MSR list; the <see cref="kvm_msr_entry"/> elements follow it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct kvm_msrs
{
    public uint nmsrs;
    public uint pad;
}
