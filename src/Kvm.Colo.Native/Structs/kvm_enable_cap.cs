using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>Argument of KVM_ENABLE_CAP.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct kvm_enable_cap
{
    public uint cap;
    public uint flags;
    public fixed ulong args[4];
    public fixed byte pad[64];
}
