using System.Diagnostics;
using Kvm.Colo.Kvm;
using Kvm.Colo.Native;

namespace Kvm.Colo.Machine.Vcpus;

/// <summary>All vCPU threads of one machine; the control loop parks, commands and resumes them as one. Allocation-free once built.</summary>
internal sealed class VcpuGroup
{
    private readonly VcpuThread[] _threads;
    private readonly FutexGate _allDone = new();
    private int _remaining;
    private int _ended;

    public VcpuGroup(IReadOnlyList<KvmVcpu> vcpus, IVcpuHost host)
    {
        _threads = [.. vcpus.Select(vcpu => new VcpuThread(this, vcpu, host))];
    }

    public IReadOnlyList<VcpuThread> Threads => _threads;

    public bool IsParked { get; private set; }

    /// <summary>Whether a thread that parks waits for the page faults that KVM still works on; see <see cref="KvmVcpu.DrainAsyncFaults"/>.</summary>
    public bool DrainsFaults { get; private set; }

    /// <summary>Whether a thread that has parked goes on at once to save what can no longer change.</summary>
    public bool SavesEarly { get; private set; }

    /// <summary>Starts the threads, parked.</summary>
    public void Start(TimeSpan deadline)
    {
        DrainsFaults = true;
        Arm();
        foreach (VcpuThread thread in _threads)
        {
            thread.Post(VcpuRequests.Park);
            thread.Start();
        }

        WaitAll("start", deadline);
        IsParked = true;
    }

    /// <summary>
    /// Stops the guest: every pending exit completed, every thread waiting. Parking twice is harmless. With <paramref name="savesEarly"/>
    /// the threads begin to save themselves while the caller sees to the devices.
    /// </summary>
    /// <exception cref="TimeoutException">A vCPU did not come back from a device in time; the group is then not parked.</exception>
    public void Park(bool drainsFaults, TimeSpan deadline, bool savesEarly = false)
    {
        SavesEarly = savesEarly && !IsParked;
        if (IsParked)
            return;
        DrainsFaults = drainsFaults;
        Arm();
        foreach (VcpuThread thread in _threads)
        {
            if (savesEarly)
                thread.Vcpu.ShareRegisters();
            thread.Post(VcpuRequests.Park);
        }

        WaitAll("park", deadline);
        IsParked = true;
    }

    /// <summary>Registers were changed while the threads were parked: what they have saved early is void.</summary>
    public void ForgetEarlySave() => SavesEarly = false;

    /// <summary>
    /// Has every parked thread save its vCPU, all at the same time; devices and chips are at rest. <see cref="EndSave"/> follows in any case.
    /// </summary>
    public void BeginSave()
    {
        if (!IsParked)
            throw new InvalidOperationException("the vCPUs are not parked");
        Arm();
        foreach (VcpuThread thread in _threads)
            thread.Command(SavesEarly ? VcpuCommand.FinishSave : VcpuCommand.Save);
    }

    /// <summary>Waits until all are saved.</summary>
    public void EndSave(TimeSpan deadline)
    {
        SavesEarly = false;
        WaitAll("save", deadline);
    }

    /// <summary>Lets the guest run. Resuming twice is harmless.</summary>
    public void Resume()
    {
        if (!IsParked)
            return;
        IsParked = false;
        foreach (VcpuThread thread in _threads)
            thread.Command(VcpuCommand.Resume);
    }

    /// <summary>Has every vCPU that runs do nothing for a while; any thread.</summary>
    public void Rest(TimeSpan time)
    {
        if (IsParked)
            return;
        foreach (VcpuThread thread in _threads)
            thread.Rest(time);
    }

    /// <summary>Ends all threads; the group cannot be used again.</summary>
    /// <returns>False when a thread did not end in time.</returns>
    public bool Stop(TimeSpan deadline)
    {
        foreach (VcpuThread thread in _threads)
            thread.Post(VcpuRequests.Stop);
        long start = Stopwatch.GetTimestamp();
        bool all = true;
        foreach (VcpuThread thread in _threads)
        {
            TimeSpan left = deadline - Stopwatch.GetElapsedTime(start);
            all &= thread.Join(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }

        return all;
    }

    /// <summary>A thread has parked or carried out its command.</summary>
    internal void OnDone()
    {
        if (Interlocked.Decrement(ref _remaining) == 0)
            _allDone.Set();
    }

    /// <summary>A thread died of an error: whoever waits for it must not wait for ever.</summary>
    internal void OnThreadEnded()
    {
        Interlocked.Increment(ref _ended);
        _allDone.Set();
    }

    private void Arm()
    {
        _allDone.Reset();
        Volatile.Write(ref _remaining, _threads.Length);
        if (Volatile.Read(ref _ended) > 0)
            throw new TimeoutException("a vCPU thread has ended after an error");
    }

    private void WaitAll(string what, TimeSpan deadline)
    {
        if (!_allDone.Wait(deadline))
            throw new TimeoutException($"{Volatile.Read(ref _remaining)} of {_threads.Length} vCPUs did not {what} within {deadline.TotalSeconds:0.#} s");
        if (Volatile.Read(ref _ended) > 0)
            throw new TimeoutException("a vCPU thread has ended after an error");
    }
}
