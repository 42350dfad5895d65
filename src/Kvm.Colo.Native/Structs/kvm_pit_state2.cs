using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>The in-kernel PIT (KVM_GET_PIT2, VM): three <see cref="kvm_pit_channel_state"/> of 24 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct kvm_pit_state2
{
    public fixed byte channels[3 * 24];
    public uint flags;
    public fixed uint reserved[9];
}
