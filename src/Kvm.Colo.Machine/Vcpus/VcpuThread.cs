using System.Diagnostics;
using Kvm.Colo.Kvm;
using Kvm.Colo.Native;

namespace Kvm.Colo.Machine.Vcpus;

/// <summary>
/// The one thread of a vCPU, for life. Others only post requests; a parked thread does what its group commands. Steps of a post:
/// publish the request (full fence), arm immediate_exit, kick. Steps of the loop: clear immediate_exit, take the requests (full
/// fence), run. A request published before the clear is taken; one published after it arms the flag again.
/// </summary>
internal sealed class VcpuThread
{
    private readonly VcpuGroup _group;
    private readonly IVcpuHost _host;
    private readonly FutexGate _wake = new();
    private readonly Thread _thread;
    private uint _pending;
    private int _command;
    private long _restTicks;
    private bool _holding;
    private long _parkedAllocatedBytes;

    public VcpuThread(VcpuGroup group, KvmVcpu vcpu, IVcpuHost host)
    {
        _group = group;
        _host = host;
        Vcpu = vcpu;
        Current = vcpu.CreateSnapshot();
        Staged = vcpu.CreateSnapshot();
        _thread = new Thread(Main) { Name = $"vcpu-{vcpu.Index}", IsBackground = true };
    }

    public KvmVcpu Vcpu { get; }

    /// <summary>What the thread saves itself into.</summary>
    public VcpuSnapshot Current { get; }

    /// <summary>What the thread loads itself from.</summary>
    public VcpuSnapshot Staged { get; }

    /// <summary>Managed memory this thread has allocated while it was parked, in bytes.</summary>
    public long ParkedAllocatedBytes => Volatile.Read(ref _parkedAllocatedBytes);

    /// <summary>Number of exits handled, for accounting; approximate while running.</summary>
    public long Exits { get; private set; }

    public void Start() => _thread.Start();

    /// <summary>Has the guest's vCPU do nothing for <paramref name="time"/>, or until something else is asked of it.</summary>
    public void Rest(TimeSpan time)
    {
        Volatile.Write(ref _restTicks, time.Ticks);
        Post(VcpuRequests.Rest);
    }

    public void Post(VcpuRequests request)
    {
        Interlocked.Or(ref _pending, (uint)request);
        Vcpu.RequestExit();
        _wake.Set();
    }

    /// <summary>Gives a parked thread its next command.</summary>
    public void Command(VcpuCommand command)
    {
        Volatile.Write(ref _command, (int)command);
        _wake.Set();
    }

    /// <summary>Waits for the end of a thread that was asked to stop.</summary>
    public bool Join(TimeSpan deadline) => _thread.ThreadState.HasFlag(System.Threading.ThreadState.Unstarted) || _thread.Join(deadline);

    private void Main()
    {
        Vcpu.BindToThisThread();
        try
        {
            while (Serve())
            {
                // Each turn serves the requests and then runs the guest once.
            }
        }
        catch (Exception e)
        {
            _host.OnInternalError(Vcpu.Index, $"vCPU {Vcpu.Index}: {e.Message}");
            _group.OnThreadEnded();
        }
    }

    private bool Serve()
    {
        var requests = (VcpuRequests)Interlocked.Exchange(ref _pending, 0);
        if ((requests & VcpuRequests.Stop) != 0)
            return false;
        if ((requests & VcpuRequests.Park) != 0)
            Park();
        else if (_holding)
            WaitForWake();
        else if ((requests & VcpuRequests.Rest) != 0)
            TakeRest();
        else
            RunOnce();
        return true;
    }

    private void RunOnce()
    {
        Errno errno = Vcpu.TryRun();
        switch (errno)
        {
            case Errno.None:
                Exits++;
                Dispatch();
                if (_host.HoldRequested)
                    _holding = true;
                break;
            case Errno.EINTR:
                Vcpu.ClearExitRequest();
                break;
            case Errno.EAGAIN:
                break; // a vCPU that waits for its SIPI
            default:
                throw new KvmException("KVM_RUN", errno);
        }
    }

    private void Dispatch()
    {
        switch (Vcpu.ExitReason)
        {
            case ExitReason.PortIo:
                _host.OnPortIo(Vcpu.PortIo());
                break;
            case ExitReason.Mmio:
                _host.OnMmio(Vcpu.Mmio());
                break;
            case ExitReason.DirtyRingFull:
                _host.OnDirtyRingFull(Vcpu.Index);
                break;
            case ExitReason.Interrupted or ExitReason.InterruptWindow or ExitReason.Unknown:
                break;
            case ExitReason.Shutdown or ExitReason.SystemEvent:
                _holding = true;
                _host.OnTripleFault(Vcpu.Index);
                break;
            default:
                _holding = true;
                _host.OnInternalError(Vcpu.Index, GuestDiagnosis.Describe(Vcpu));
                break;
        }
    }

    private void Park()
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        CompletePendingExit();
        Vcpu.ClearExitRequest();
        if (_group.DrainsFaults)
            Vcpu.DrainAsyncFaults();
        bool savesEarly = _group.SavesEarly;
        _group.OnDone();
        if (savesEarly)
            Vcpu.SaveRegisters(Current);
        while (true)
        {
            WaitForWake();
            switch ((VcpuCommand)Interlocked.Exchange(ref _command, (int)VcpuCommand.None))
            {
                case VcpuCommand.Save:
                    Vcpu.Save(Current);
                    _group.OnDone();
                    break;
                case VcpuCommand.FinishSave:
                    Vcpu.SaveInterrupts(Current);
                    _group.OnDone();
                    break;
                case VcpuCommand.Resume:
                    _holding = false;
                    Volatile.Write(ref _parkedAllocatedBytes, _parkedAllocatedBytes + GC.GetAllocatedBytesForCurrentThread() - allocated);
                    return;
                default:
                    if (((VcpuRequests)Volatile.Read(ref _pending) & VcpuRequests.Stop) != 0)
                        return;
                    break;
            }
        }
    }

    private void TakeRest()
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan rest = new(Volatile.Read(ref _restTicks));
        while (Volatile.Read(ref _pending) == 0)
        {
            TimeSpan left = rest - Stopwatch.GetElapsedTime(start);
            if (left <= TimeSpan.Zero)
                return;
            _wake.Reset();
            if (Volatile.Read(ref _pending) == 0)
                _wake.Wait(left);
        }
    }

    // The instruction of an exit ends at the next entry; a string instruction comes back with its next piece until it is through.
    private void CompletePendingExit()
    {
        while (Vcpu.HasPendingExit)
        {
            Vcpu.ArmImmediateExit();
            Errno errno = Vcpu.TryRun();
            if (errno == Errno.EINTR)
                return;
            if (errno != Errno.None)
                throw new KvmException("KVM_RUN", errno);
            Dispatch();
        }
    }

    private void WaitForWake()
    {
        _wake.Wait();
        _wake.Reset();
    }
}
