using System.Diagnostics;
using Kvm.Colo.Kvm;
using Kvm.Colo.Memory;
using Kvm.Colo.Native;

namespace Kvm.Colo.TestKit;

/// <summary>A VM with RAM, interrupt chips and vCPUs for hand-made guests. One test thread owns it and runs its vCPUs.</summary>
internal sealed class TinyVm : IDisposable
{
    /// <summary>Where guests are loaded: real mode in the first 64 KiB, long mode above 1 MiB.</summary>
    public const ulong RealModeOrigin = 0x8000;
    public const ulong LongModeOrigin = 0x11_0000;

    /// <summary>A guest-physical address without RAM that the long-mode tables map.</summary>
    public const ulong MmioAddress = 0xD000_0000;

    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly Timer _watchdog;
    private volatile bool _expired;

    public TinyVm(ulong ramBytes = 16ul << 20, int vcpus = 1, uint dirtyRingBytes = 0)
    {
        System = KvmSystem.Open();
        Vm = System.CreateVm();
        Memory = GuestMemory.Create(ramBytes);
        Vm.CreateInterruptChips();
        foreach (MemorySlot slot in Memory.Slots)
            Vm.SetMemorySlot(slot, logDirtyPages: false);
        if (dirtyRingBytes != 0)
            Vm.EnableDirtyRing(dirtyRingBytes);
        CpuidTable cpuid = System.GetSupportedCpuid();
        Vcpus = [.. Enumerable.Range(0, vcpus).Select(Vm.CreateVcpu)];
        foreach (KvmVcpu vcpu in Vcpus)
            vcpu.SetCpuid(cpuid.ForVcpu(vcpu.Index, vcpus));
        _watchdog = new Timer(_ => Expire());
    }

    public KvmSystem System { get; }

    public KvmVm Vm { get; }

    public GuestMemory Memory { get; }

    public IReadOnlyList<KvmVcpu> Vcpus { get; }

    public KvmVcpu Vcpu => Vcpus[0];

    /// <summary>Loads a real-mode guest at <see cref="RealModeOrigin"/> and points the vCPU at it; the stack ends at 0x8000.</summary>
    public void LoadRealMode(string source)
    {
        Write(RealModeOrigin, GuestAssembler.Assemble(".code16\n" + source, RealModeOrigin));
        kvm_sregs2 sregs = Vcpu.GetSregs();
        sregs.cs.selector = 0;
        sregs.cs.@base = 0;
        Vcpu.SetSregs(sregs);
        Vcpu.SetRegs(new kvm_regs { rip = RealModeOrigin, rsp = RealModeOrigin, rflags = 2 });
    }

    /// <summary>Loads a 64-bit guest at <see cref="LongModeOrigin"/>; the stack ends at 0x9E000. See <see cref="LongMode"/>.</summary>
    public void LoadLongMode(string source, bool ring3)
    {
        Write(LongModeOrigin, GuestAssembler.Assemble(source, LongModeOrigin));
        LongMode.WriteTables(Memory);
        kvm_sregs2 sregs = Vcpu.GetSregs();
        LongMode.Enter(ref sregs, ring3);
        Vcpu.SetSregs(sregs);
        Vcpu.SetRegs(new kvm_regs { rip = LongModeOrigin, rsp = 0x9E000, rflags = 2 });
    }

    public void Write(ulong address, ReadOnlySpan<byte> bytes)
    {
        if (!Memory.TryWrite(new GuestPhysicalAddress(address), bytes))
            throw new ArgumentOutOfRangeException(nameof(address));
    }

    public T Read<T>(ulong address)
        where T : unmanaged =>
        Memory.TryRead(new GuestPhysicalAddress(address), out T value) ? value : throw new ArgumentOutOfRangeException(nameof(address));

    /// <summary>Runs the first vCPU on the calling thread until it exits; a kick in between is passed on to the caller as EINTR.</summary>
    /// <exception cref="TimeoutException">The guest gave no exit in time.</exception>
    public Errno Run()
    {
        Vcpu.BindToThisThread();
        _watchdog.Change(Deadline, Timeout.InfiniteTimeSpan);
        Errno errno = Vcpu.TryRun();
        _watchdog.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        return _expired ? throw new TimeoutException($"no exit within {Deadline}, RIP 0x{Vcpu.GetRegs().rip:x}") : errno;
    }

    /// <summary>Runs to the next exit, which must be of this kind.</summary>
    public void RunTo(ExitReason expected)
    {
        // Nobody kicks here, but the runtime has signals of its own, which end a run too.
        long start = Stopwatch.GetTimestamp();
        Errno errno;
        do
            errno = Run();
        while (errno == Errno.EINTR && Stopwatch.GetElapsedTime(start) < Deadline);
        if (errno != Errno.None || Vcpu.ExitReason != expected)
            throw new InvalidOperationException($"{errno}, exit {Vcpu.ExitReason} instead of {expected}, RIP 0x{Vcpu.GetRegs().rip:x}");
    }

    /// <summary>Completes the pending instruction without letting the guest go on; string instructions may need several rounds.</summary>
    public void CompletePendingExit()
    {
        Vcpu.ArmImmediateExit();
        Errno errno = Run();
        Vcpu.ClearExitRequest();
        if (errno != Errno.EINTR)
            throw new InvalidOperationException($"{errno}, exit {Vcpu.ExitReason}: the instruction is not complete");
    }

    /// <summary>Copies every page the memory holds into another VM of the same size.</summary>
    public void CopyMemoryTo(TinyVm other)
    {
        for (ulong page = Memory.NextPopulated(0); page < Memory.PageCount; page = Memory.NextPopulated(page + 1))
            other.Memory.WriteCommittedPage(page, Memory.Page(page));
    }

    public void Dispose()
    {
        _watchdog.Dispose();
        foreach (KvmVcpu vcpu in Vcpus)
            vcpu.Dispose();
        Vm.Dispose();
        Memory.Dispose();
        System.Dispose();
    }

    private void Expire()
    {
        _expired = true;
        Vcpu.RequestExit();
    }
}
