using System.Runtime.InteropServices;
using Kvm.Colo.Native;

namespace Kvm.Colo.Kvm;

/// <summary>
/// The whole state of one vCPU as KVM gives it, in kernel form and reused from epoch to epoch. Which MSRs it holds is fixed when it is
/// made for a vCPU; a loaded one brings its own list.
/// </summary>
internal sealed unsafe class VcpuSnapshot(int xsaveBytes)
{
    public const int MaxMsrs = 1024;

    public kvm_mp_state MpState;
    public kvm_regs Regs;
    public kvm_sregs2 Sregs;
    public kvm_xcrs Xcrs;
    public kvm_debugregs DebugRegs;
    public kvm_lapic_state Lapic;
    public kvm_vcpu_events Events;

    /// <summary>The XSAVE area; its length is the VM's <see cref="KvmVm.XsaveBytes"/>.</summary>
    public readonly byte[] Xsave = new byte[xsaveBytes];

    public readonly kvm_msr_entry[] Msrs = new kvm_msr_entry[MaxMsrs];

    public int MsrCount;

    /// <summary>The kernel structs that are carried as they are, as bytes over this snapshot.</summary>
    public Span<byte> LapicBytes => AsBytes(ref Lapic);

    public Span<byte> XcrsBytes => AsBytes(ref Xcrs);

    public Span<byte> DebugRegsBytes => AsBytes(ref DebugRegs);

    /// <summary>The four PDPTRs of <paramref name="sregs"/>, used by a guest with PAE paging.</summary>
    public static Span<ulong> Pdptrs(ref kvm_sregs2 sregs) => MemoryMarshal.CreateSpan(ref sregs.pdptrs[0], 4);

    private static Span<byte> AsBytes<T>(ref T value)
        where T : unmanaged => MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref value, 1));
}
