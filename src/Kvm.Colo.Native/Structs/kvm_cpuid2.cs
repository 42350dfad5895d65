using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>Header of a CPUID table; the <see cref="kvm_cpuid_entry2"/> elements follow it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct kvm_cpuid2
{
    public uint nent;
    public uint padding;
}
