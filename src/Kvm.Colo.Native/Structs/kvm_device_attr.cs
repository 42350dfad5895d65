using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>Argument of KVM_SET_DEVICE_ATTR and its relatives.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct kvm_device_attr
{
    public uint flags;
    public uint group;
    public ulong attr;
    public ulong addr;
}
