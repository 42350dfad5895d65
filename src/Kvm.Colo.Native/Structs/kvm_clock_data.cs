using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>The kvmclock of a VM in nanoseconds (KVM_GET_CLOCK).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct kvm_clock_data
{
    public ulong clock;
    public uint flags;
    public uint pad0;
    public ulong realtime;
    public ulong host_tsc;
    public fixed uint pad[4];
}
