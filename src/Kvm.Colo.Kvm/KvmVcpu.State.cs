using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Kvm.Colo.Native;
using static Kvm.Colo.Native.KvmConstants;
using static Kvm.Colo.Native.KvmIoctl;

namespace Kvm.Colo.Kvm;

/// <content>
/// Making snapshots and loading them. The orders are rules, each with a guest that hung when it was broken: vmm-recipe 3.1 to 3.3.
/// </content>
internal sealed unsafe partial class KvmVcpu
{
    private const uint MsrTsc = 0x10;
    private const uint MsrTscDeadline = 0x6E0;
    private const uint MsrKvmWallClockOld = 0x11;
    private const uint MsrKvmWallClock = 0x4B56_4D00;
    private const uint MsrKvmAsyncPageFault = 0x4B56_4D02;
    private const uint MsrMiscEnable = 0x1A0;
    private const uint MsrMtrrDefaultType = 0x2FF;
    private const ulong FastStrings = 1;
    private const ulong MtrrsOnWriteBack = 0x806;

    // The memory types of ranges, which KVM keeps but does not list: eight variable pairs, eleven fixed ones, the default.
    private static readonly uint[] s_unlistedMsrs =
    [
        .. Enumerable.Range(0x200, 16).Select(static index => (uint)index),
        0x250, 0x258, 0x259, .. Enumerable.Range(0x268, 8).Select(static index => (uint)index), MsrMtrrDefaultType,
    ];

    private readonly kvm_msr_entry[] _loadedMsrs = new kvm_msr_entry[VcpuSnapshot.MaxMsrs];
    private readonly kvm_msr_entry[] _oneMsr = new kvm_msr_entry[1];
    private readonly byte[] _msrBuffer = GC.AllocateUninitializedArray<byte>(8 + (VcpuSnapshot.MaxMsrs * 16), pinned: true);
    private bool _isTscScaled;
    private uint _tscKhz;

    /// <summary>Makes an empty snapshot that lists every MSR this vCPU can be asked for.</summary>
    public VcpuSnapshot CreateSnapshot()
    {
        VcpuSnapshot snapshot = new(Vm.XsaveBytes);
        uint[] listed = Vm.System.GetMsrIndexes();
        foreach (uint index in (uint[])[.. listed, .. s_unlistedMsrs.Except(listed)])
        {
            if (snapshot.MsrCount == VcpuSnapshot.MaxMsrs)
                break;
            snapshot.Msrs[snapshot.MsrCount] = new kvm_msr_entry { index = index };
            if (TransferMsrs(KVM_GET_MSRS, snapshot.Msrs.AsSpan(snapshot.MsrCount, 1)) == 1)
                snapshot.MsrCount++;
        }

        return snapshot;
    }

    /// <summary>
    /// Sets the registers a firmware would have set: fast string instructions on, memory is write-back unless the guest says otherwise.
    /// Without the latter Linux takes all caching attributes for unavailable. After CPUID, before the first run. Source: vmm-recipe 2.6.
    /// </summary>
    public void SetPowerOnMsrs()
    {
        foreach ((uint index, ulong value) in (ReadOnlySpan<(uint, ulong)>)[(MsrMiscEnable, FastStrings), (MsrMtrrDefaultType, MtrrsOnWriteBack)])
        {
            _oneMsr[0] = new kvm_msr_entry { index = index, data = value };
            if (TransferMsrs(KVM_SET_MSRS, _oneMsr) != 1)
                throw new KvmException(nameof(KVM_SET_MSRS), Errno.EINVAL);
        }
    }

    /// <summary>
    /// Loads everything into a parked vCPU; the VM's chips and clock were loaded before. SREGS before the local APIC (it carries the
    /// APIC mode), the local APIC before MSRs (a deadline written while the timer is in another mode is dropped, with success), the TSC
    /// before its deadline, REGS before events (it drops a pending exception).
    /// </summary>
    public void Load(VcpuSnapshot from)
    {
        RequireNoPendingExit();
        ForgetShared();
        Set(KVM_SET_SREGS2, ref from.Sregs);
        Set(KVM_SET_REGS, ref from.Regs);
        Set(KVM_SET_XCRS, ref from.Xcrs);
        fixed (byte* area = from.Xsave)
            Check(nameof(KVM_SET_XSAVE), Shim.IoctlPtr(_vcpu, KVM_SET_XSAVE, area));
        Set(KVM_SET_DEBUGREGS, ref from.DebugRegs);
        LoadLapic(from.Lapic);
        LoadMsrs(from);
        Set(KVM_SET_VCPU_EVENTS, ref from.Events);
        Set(KVM_SET_MP_STATE, ref from.MpState);
    }

    /// <summary>Tells a guest with kvmclock that it was paused, so that its watchdog stays quiet; no clock, no harm.</summary>
    public void MarkPaused() => _ = Shim.IoctlInt(_vcpu, KVM_KVMCLOCK_CTRL, 0);

    /// <summary>
    /// Waits for the page faults that KVM has handed to a kernel thread (asynchronous page faults, also without the guest's consent):
    /// such a fault goes on while the vCPU is parked, and the copy-on-write page it makes can be older than what the committed image
    /// holds by then. Switching the mechanism off is the one barrier KVM has. Source: Documentation/virt/kvm/x86/msr.rst.
    /// </summary>
    public void DrainAsyncFaults()
    {
        _oneMsr[0] = new kvm_msr_entry { index = MsrKvmAsyncPageFault };
        if (TransferMsrs(KVM_GET_MSRS, _oneMsr) != 1)
            return;
        ulong enabled = _oneMsr[0].data;
        _oneMsr[0].data = 0;
        _ = TransferMsrs(KVM_SET_MSRS, _oneMsr);
        if (enabled == 0)
            return;
        _oneMsr[0].data = enabled;
        _ = TransferMsrs(KVM_SET_MSRS, _oneMsr);
    }

    private void LoadMsrs(VcpuSnapshot from)
    {
        kvm_msr_entry deadline = default;
        ulong? tsc = null;
        int count = 0;
        foreach (kvm_msr_entry entry in from.Msrs.AsSpan(0, from.MsrCount))
        {
            if (entry.index == MsrTscDeadline)
                deadline = entry;
            else if (entry.index == MsrTsc && _hasTscOffset)
                tsc = entry.data;
            else if (!IsUnchangedWallClock(entry))
                _loadedMsrs[count++] = entry;
        }

        Span<kvm_msr_entry> entries = _loadedMsrs.AsSpan(0, count);
        for (int done = 0; done < entries.Length;)
        {
            done += TransferMsrs(KVM_SET_MSRS, entries[done..]);
            if (done < entries.Length)
                RefusedMsrs++; // KVM stops at the first it refuses; the rest must still be loaded
            done++;
        }

        if (tsc is { } value)
            LoadTsc(value);
        if (deadline.index == 0)
            return;
        _oneMsr[0] = deadline;
        if (TransferMsrs(KVM_SET_MSRS, _oneMsr) != 1)
            throw new KvmException(nameof(KVM_SET_MSRS), Errno.EINVAL);
    }

    /// <summary>The rate of the guest's time stamp counter in kHz; 0 when the host's has none to rely on.</summary>
    public uint GetTscKhz()
    {
        long khz = Shim.IoctlInt(_vcpu, KVM_GET_TSC_KHZ, 0);
        return khz > 0 ? (uint)khz : 0;
    }

    /// <summary>
    /// Gives the guest's time stamp counter another rate than the host's. KVM accepts any where the processor scales, and else one so
    /// near that nobody sees the difference; see <see cref="TscRate"/>.
    /// </summary>
    /// <exception cref="KvmException">KVM refused the rate.</exception>
    public void SetTscKhz(uint khz)
    {
        Check(nameof(KVM_SET_TSC_KHZ), Shim.IoctlInt(_vcpu, KVM_SET_TSC_KHZ, khz));
        _isTscScaled = Vm.TscRate.Scales(khz);
        _tscKhz = khz;
    }

    /// <summary>
    /// The host's counter at the guest's rate, which is what the offset is added to; taken from KVM, whose scaling is not to be
    /// repeated bit by bit.
    /// </summary>
    internal ulong ScaledHostTsc()
    {
        ulong offset;
        kvm_device_attr attribute = new() { group = KVM_VCPU_TSC_CTRL, attr = KVM_VCPU_TSC_OFFSET, addr = (ulong)&offset };
        Check(nameof(KVM_VCPU_TSC_OFFSET), Shim.IoctlPtr(_vcpu, KVM_GET_DEVICE_ATTR, &attribute));
        _oneMsr[0] = new kvm_msr_entry { index = MsrTsc };
        if (TransferMsrs(KVM_GET_MSRS, _oneMsr) != 1)
            throw new KvmException(nameof(KVM_GET_MSRS), Errno.EINVAL);
        return _oneMsr[0].data - offset;
    }

    private void LoadLapic(kvm_lapic_state lapic)
    {
        if (Vm.RanOnNanoseconds is var ranOn and not 0)
            LapicTimer.RunOn(MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref lapic, 1)), ranOn);
        Set(KVM_SET_LAPIC, ref lapic);
    }

    // As an MSR, a value within a second of what KVM expects counts as an attempt to synchronise vCPUs: KVM keeps its own time, and on a
    // secondary that is the first epoch's. Source: Documentation/virt/kvm/devices/vcpu.rst, KVM_VCPU_TSC_CTRL.
    private void LoadTsc(ulong value)
    {
        ulong ranOn = (ulong)((UInt128)Vm.RanOnNanoseconds * (_tscKhz != 0 ? _tscKhz : Vm.TscRate.Khz) / 1_000_000);
        ulong offset = Vm.TscOffset(Index, value + ranOn, _isTscScaled ? ScaledHostTsc() : Shim.Tsc());
        kvm_device_attr attribute = new() { group = KVM_VCPU_TSC_CTRL, attr = KVM_VCPU_TSC_OFFSET, addr = (ulong)&offset };
        Check(nameof(KVM_VCPU_TSC_OFFSET), Shim.IoctlPtr(_vcpu, KVM_SET_DEVICE_ATTR, &attribute));
    }

    // Setting it makes KVM write this host's wall clock into guest memory at once (kvm_write_wall_clock), where a load of a whole
    // guest has put what belongs there. Only a VM that does not know the place yet must be told.
    private bool IsUnchangedWallClock(kvm_msr_entry entry)
    {
        if (entry.index is not (MsrKvmWallClock or MsrKvmWallClockOld))
            return false;
        _oneMsr[0] = new kvm_msr_entry { index = entry.index };
        return TransferMsrs(KVM_GET_MSRS, _oneMsr) == 1 && _oneMsr[0].data == entry.data;
    }

    /// <summary>How many MSR writes KVM has refused in all loads; a sign that the two hosts' CPUs differ.</summary>
    public long RefusedMsrs { get; private set; }

    private int TransferMsrs(uint request, Span<kvm_msr_entry> entries)
    {
        MemoryMarshal.Write(_msrBuffer, new kvm_msrs { nmsrs = (uint)entries.Length });
        Span<kvm_msr_entry> staged = MemoryMarshal.Cast<byte, kvm_msr_entry>(_msrBuffer.AsSpan(sizeof(kvm_msrs)))[..entries.Length];
        entries.CopyTo(staged);
        // SAFETY: the buffer is pinned for life and holds the header and MaxMsrs entries.
        byte* pointer = (byte*)Unsafe.AsPointer(ref _msrBuffer[0]);
        int count = (int)KvmException.Check("KVM_GET_MSRS/KVM_SET_MSRS", Shim.IoctlPtr(_vcpu, request, pointer));
        staged.CopyTo(entries);
        return Math.Min(count, entries.Length);
    }

    private void RequireNoPendingExit()
    {
        if (HasPendingExit)
            throw new InvalidOperationException($"vCPU {Index} has an exit that was not completed; its state must not be touched");
    }

    private void Get<T>(uint request, ref T value, [CallerArgumentExpression(nameof(request))] string call = "")
        where T : unmanaged
    {
        fixed (T* pointer = &value)
            Check(call, Shim.IoctlPtr(_vcpu, request, pointer));
    }

    private void Set<T>(uint request, ref T value, [CallerArgumentExpression(nameof(request))] string call = "")
        where T : unmanaged
    {
        fixed (T* pointer = &value)
            Check(call, Shim.IoctlPtr(_vcpu, request, pointer));
    }
}
