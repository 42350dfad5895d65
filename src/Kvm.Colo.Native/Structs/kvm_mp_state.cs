using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>Whether a vCPU runs, halts or waits for SIPI (KVM_GET_MP_STATE).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct kvm_mp_state
{
    public uint mp_state;
}
