using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>One model-specific register and its value.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct kvm_msr_entry
{
    public uint index;
    public uint reserved;
    public ulong data;
}
