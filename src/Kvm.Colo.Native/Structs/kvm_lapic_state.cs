using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>The local APIC register page (KVM_GET_LAPIC, vCPU), 1,024 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct kvm_lapic_state
{
    public fixed byte regs[1024];
}
