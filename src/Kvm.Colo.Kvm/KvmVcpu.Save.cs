using System.Runtime.InteropServices;
using Kvm.Colo.Native;
using static Kvm.Colo.Native.KvmConstants;
using static Kvm.Colo.Native.KvmIoctl;

namespace Kvm.Colo.Kvm;

/// <content>Saving all registers. The orders are rules, each with a guest that hung when it was broken: vmm-recipe 3.1 to 3.3.</content>
internal sealed unsafe partial class KvmVcpu
{
    private const ulong PagingOn = 1ul << 31;
    private const ulong PhysicalAddressExtension = 1 << 5;
    private const ulong LongModeActive = 1 << 10;
    private const int LapicSpuriousVector = 0xF0;
    private const uint LapicEnabled = 1 << 8;

    private static readonly int s_commonSregsBytes = (int)Marshal.OffsetOf<kvm_sregs2>(nameof(kvm_sregs2.flags));

    private bool IsAlone => Vm.VcpuCount == 1;

    /// <summary>Reads everything; the pending exit must be completed, and no other vCPU may run.</summary>
    public void Save(VcpuSnapshot into)
    {
        SaveRegisters(into);
        SaveInterrupts(into);
    }

    /// <summary>
    /// Reads what stays as it is while the vCPU is parked, whatever chips and devices still do; <see cref="SaveInterrupts"/> follows when
    /// those have come to rest. MP_STATE comes first because reading it may process an INIT or SIPI. After <see cref="ShareRegisters"/> only
    /// by the vCPU's own thread, before anybody has changed a register.
    /// </summary>
    public void SaveRegisters(VcpuSnapshot into)
    {
        RequireNoPendingExit();
        Get(KVM_GET_MP_STATE, ref into.MpState);
        if (!TryTakeShared(into))
        {
            Get(KVM_GET_REGS, ref into.Regs);
            Get(KVM_GET_SREGS2, ref into.Sregs);
        }

        fixed (byte* area = into.Xsave)
            Check(nameof(KVM_GET_XSAVE2), Shim.IoctlPtr(_vcpu, Vm.HasXsave2 ? KVM_GET_XSAVE2 : KVM_GET_XSAVE, area));
        Get(KVM_GET_XCRS, ref into.Xcrs);
        Get(KVM_GET_DEBUGREGS, ref into.DebugRegs);
        if (IsAlone)
            SaveMsrs(into);
    }

    /// <summary>
    /// Reads what an interrupt on its way to a parked vCPU changes, after <see cref="SaveRegisters"/>. An INIT or SIPI that was on its way
    /// has made all registers new. MSRs wait until here where there are other vCPUs: one that was still running has seen a later time stamp.
    /// Events come last because the other reads may change them.
    /// </summary>
    public void SaveInterrupts(VcpuSnapshot into)
    {
        RequireNoPendingExit();
        Get(KVM_GET_LAPIC, ref into.Lapic);
        bool mayBeReset = !IsAlone || (MemoryMarshal.Read<uint>(into.LapicBytes[LapicSpuriousVector..]) & LapicEnabled) == 0; // an INIT disables it
        if (mayBeReset && HasMoved(into))
            SaveRegisters(into);
        if (!IsAlone)
            SaveMsrs(into);
        Get(KVM_GET_VCPU_EVENTS, ref into.Events);

        // KVM_CAP_EXCEPTION_PAYLOAD is off: an exception on its way counts as injected, and a load does not look at the other flag.
        into.Events.exception_pending = 0;
    }

    // What the last exit left in the shared page, once. KVM never leaves flags of 0: bit 1 is always set.
    private bool TryTakeShared(VcpuSnapshot into)
    {
        _run->kvm_valid_regs = 0;
        if (_run->s_regs_regs.rflags == 0)
            return false;
        into.Regs = _run->s_regs_regs;
        ForgetShared();
        kvm_sregs* shared = &_run->s_regs_sregs;
        bool hasPdptrs = (shared->cr0 & PagingOn) != 0 && (shared->cr4 & PhysicalAddressExtension) != 0 && (shared->efer & LongModeActive) == 0;
        if (hasPdptrs)
        {
            Get(KVM_GET_SREGS2, ref into.Sregs);
            return true;
        }

        // Both structs begin alike, up to where one has its bitmap and the other PDPTRs.
        into.Sregs = default;
        fixed (kvm_sregs2* target = &into.Sregs)
            Buffer.MemoryCopy(shared, target, s_commonSregsBytes, s_commonSregsBytes);
        return true;
    }

    private bool HasMoved(VcpuSnapshot since)
    {
        kvm_mp_state state = default;
        Get(KVM_GET_MP_STATE, ref state);
        kvm_regs now = default;
        Get(KVM_GET_REGS, ref now);
        return state.mp_state != since.MpState.mp_state || now.rip != since.Regs.rip;
    }

    private void SaveMsrs(VcpuSnapshot into)
    {
        if (TransferMsrs(KVM_GET_MSRS, into.Msrs.AsSpan(0, into.MsrCount)) != into.MsrCount)
            throw new KvmException(nameof(KVM_GET_MSRS), Errno.EINVAL);
    }

    private void ForgetShared() => _run->s_regs_regs.rflags = 0;
}
