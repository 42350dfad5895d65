using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>Options of KVM_CREATE_PIT2.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct kvm_pit_config
{
    public uint flags;
    public fixed uint pad[15];
}
