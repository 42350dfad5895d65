using System.Runtime.InteropServices;
using Kvm.Colo.Memory;
using Kvm.Colo.Native;
using static Kvm.Colo.Native.KvmConstants;
using static Kvm.Colo.Native.KvmIoctl;

namespace Kvm.Colo.Kvm;

/// <summary>
/// One vCPU. <see cref="TryRun"/> and the exit views belong to the one thread that runs it; registers may be read and written by
/// another thread while that one is parked. <see cref="RequestExit"/> may come from any thread at any time.
/// </summary>
internal sealed unsafe partial class KvmVcpu : IDisposable
{
    private static readonly Lazy<long> s_kickInstalled = new(() => NativeException.Check("sigaction", Shim.KickInstall()));

    private readonly SafeDescriptor _vcpu;
    private readonly NativeMapping _runPage;
    private readonly kvm_run* _run;
    private readonly bool _hasTscOffset;
    private long _threadId;

    internal KvmVcpu(KvmVm vm, int index, SafeDescriptor vcpu)
    {
        _ = s_kickInstalled.Value;
        Vm = vm;
        Index = index;
        _vcpu = vcpu;
        _runPage = NativeMapping.Map(vcpu, (ulong)vm.System.VcpuMapBytes, isPrivate: false);
        _run = (kvm_run*)_runPage.Address;
        kvm_device_attr attribute = new() { group = KVM_VCPU_TSC_CTRL, attr = KVM_VCPU_TSC_OFFSET };
        _hasTscOffset = Shim.IoctlPtr(vcpu, KVM_HAS_DEVICE_ATTR, &attribute) == 0;
    }

    public KvmVm Vm { get; }

    public int Index { get; }

    /// <summary>Kernel id of the thread that runs this vCPU, 0 before it was bound.</summary>
    public long ThreadId => Volatile.Read(ref _threadId);

    public ExitReason ExitReason => (ExitReason)_run->exit_reason;

    /// <summary>Whether the last exit leaves an instruction half done, to be finished by the next run.</summary>
    public bool HasPendingExit { get; private set; }

    /// <summary>Binds the vCPU to the calling thread, the one that will run it and be kicked.</summary>
    public void BindToThisThread() => Volatile.Write(ref _threadId, Shim.ThreadId());

    /// <summary>Runs the guest until it exits; EINTR is an answer (a kick or a signal), EAGAIN a vCPU that waits for its SIPI.</summary>
    public Errno TryRun()
    {
        HasPendingExit = false;
        long result = Shim.VcpuRun(_vcpu);
        if (result < 0)
            return (Errno)(-result);
        HasPendingExit = ExitReason is ExitReason.PortIo or ExitReason.Mmio;
        return Errno.None;
    }

    /// <summary>
    /// Makes the current or the next run come back with EINTR. The flag stops a run that has not begun, the signal one that is in the
    /// kernel, so no request is lost. The caller publishes what it wants before it calls.
    /// </summary>
    public void RequestExit()
    {
        Volatile.Write(ref _run->immediate_exit, 1);
        long thread = Volatile.Read(ref _threadId);
        if (thread != 0)
            _ = Shim.Kick(thread); // a thread that has ended has nothing left to stop
    }

    /// <summary>
    /// Has the exit that <see cref="RequestExit"/> is about to bring leave general and special registers in the shared page, where
    /// <see cref="SaveRegisters"/> finds them without a system call. Any thread, before the request. Source: KVM_CAP_SYNC_REGS.
    /// </summary>
    public void ShareRegisters()
    {
        if (Vm.HasSharedRegisters)
            Volatile.Write(ref _run->kvm_valid_regs, KvmVm.SharedRegisters);
    }

    /// <summary>Lets runs last again; only the vCPU's own thread, before it looks for requests.</summary>
    public void ClearExitRequest() => Volatile.Write(ref _run->immediate_exit, 0);

    /// <summary>Makes the next run finish the pending instruction and come back at once with EINTR; only the vCPU's own thread.</summary>
    public void ArmImmediateExit() => Volatile.Write(ref _run->immediate_exit, 1);

    public PortIoExit PortIo()
    {
        int size = _run->io_size;
        int count = (int)Math.Min(_run->io_count, 4096u);
        // SAFETY: data_offset points into the run page or the page after it, which KVM sized for count * size bytes; both are kernel's.
        Span<byte> data = _runPage.Slice(_run->io_data_offset, size * count);
        return new PortIoExit(_run->io_port, _run->io_direction == KVM_EXIT_IO_OUT, size, count, data);
    }

    public MmioExit Mmio()
    {
        int length = (int)Math.Min(_run->mmio_len, 8u);
        return new MmioExit(_run->mmio_phys_addr, _run->mmio_is_write != 0, new Span<byte>(&_run->mmio_data, length));
    }

    public InternalErrorExit InternalError()
    {
        const ulong HasInstruction = 1;
        bool hasBytes = _run->internal_suberror == KVM_INTERNAL_ERROR_EMULATION && _run->internal_ndata >= 3
            && (_run->internal_data & HasInstruction) != 0;
        int length = hasBytes ? Math.Min((int)_run->emulation_failure_insn_size, 15) : 0;
        return new InternalErrorExit(_run->internal_suberror, new ReadOnlySpan<byte>(&_run->emulation_failure_insn_bytes, length));
    }

    /// <summary>The hardware's reason when entry failed.</summary>
    public ulong FailEntryReason => _run->fail_entry_hardware_entry_failure_reason;

    /// <summary>Kind of a system event exit (KVM_SYSTEM_EVENT_*).</summary>
    public uint SystemEvent => _run->system_event_type;

    /// <summary>Maps this vCPU's dirty ring of the size the VM was given.</summary>
    public NativeMapping MapDirtyRing() =>
        NativeMapping.Map(_vcpu, Vm.DirtyRingBytes, isPrivate: false, KVM_DIRTY_LOG_PAGE_OFFSET * GuestPage.SizeBytes);

    public void SetCpuid(CpuidTable table)
    {
        ReadOnlySpan<kvm_cpuid_entry2> entries = table.Entries;
        byte[] buffer = new byte[sizeof(kvm_cpuid2) + (entries.Length * sizeof(kvm_cpuid_entry2))];
        MemoryMarshal.Write(buffer, new kvm_cpuid2 { nent = (uint)entries.Length });
        MemoryMarshal.AsBytes(entries).CopyTo(buffer.AsSpan(sizeof(kvm_cpuid2)));
        fixed (byte* pointer = buffer)
            Check(nameof(KVM_SET_CPUID2), Shim.IoctlPtr(_vcpu, KVM_SET_CPUID2, pointer));
    }

    public kvm_regs GetRegs()
    {
        kvm_regs value;
        Check(nameof(KVM_GET_REGS), Shim.IoctlPtr(_vcpu, KVM_GET_REGS, &value));
        return value;
    }

    /// <summary>Overwrites the general registers; the pending exit must be completed.</summary>
    /// <exception cref="InvalidOperationException">An exit is pending; its completion would corrupt what is set now.</exception>
    public void SetRegs(kvm_regs value)
    {
        RequireNoPendingExit();
        ForgetShared();
        Check(nameof(KVM_SET_REGS), Shim.IoctlPtr(_vcpu, KVM_SET_REGS, &value));
    }

    public kvm_sregs2 GetSregs()
    {
        kvm_sregs2 value;
        Check(nameof(KVM_GET_SREGS2), Shim.IoctlPtr(_vcpu, KVM_GET_SREGS2, &value));
        return value;
    }

    /// <summary>Overwrites the special registers; the pending exit must be completed.</summary>
    /// <exception cref="InvalidOperationException">An exit is pending.</exception>
    public void SetSregs(kvm_sregs2 value)
    {
        RequireNoPendingExit();
        ForgetShared();
        Check(nameof(KVM_SET_SREGS2), Shim.IoctlPtr(_vcpu, KVM_SET_SREGS2, &value));
    }

    public void Dispose()
    {
        _runPage.Dispose();
        _vcpu.Dispose();
    }

    private static void Check(string call, long result) => KvmException.Check(call, result);
}
