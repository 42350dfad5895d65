using System.Diagnostics;

namespace Kvm.Colo.Native;

/// <summary>
/// A gate that stays open until it is closed again, for threads that hand work to each other thousands of times a second: a pass through
/// an open gate and an opening that nobody waits for cost no system call, a wake-up costs one (futex(2)). Allocation-free; safe from any
/// thread.
/// </summary>
internal sealed unsafe class FutexGate
{
    private const int Closed = 0;
    private const int Open = 1;
    private const int Awaited = 2;

    // Pinned, because the kernel knows the word by its address.
    private readonly int[] _word = GC.AllocateArray<int>(1, pinned: true);
    private readonly int* _address;

    public FutexGate(bool isOpen = false)
    {
        fixed (int* address = _word)
            _address = address;
        _word[0] = isOpen ? Open : Closed;
    }

    public bool IsOpen => Volatile.Read(ref _word[0]) == Open;

    /// <summary>Opens it and wakes everybody who waits.</summary>
    public void Set()
    {
        if (Interlocked.Exchange(ref _word[0], Open) == Awaited)
            _ = Shim.FutexWakeAll(_address);
    }

    /// <summary>Closes it; a thread that waits goes on waiting.</summary>
    public void Reset() => Interlocked.CompareExchange(ref _word[0], Closed, Open);

    public void Wait() => Wait(Timeout.InfiniteTimeSpan);

    /// <summary>Waits until it is open.</summary>
    /// <returns>False when it did not open in time.</returns>
    public bool Wait(TimeSpan deadline)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            int seen = Volatile.Read(ref _word[0]);
            if (seen == Open)
                return true;
            if (seen == Closed && Interlocked.CompareExchange(ref _word[0], Awaited, Closed) == Open)
                return true;
            TimeSpan left = deadline;
            if (deadline != Timeout.InfiniteTimeSpan)
            {
                left = deadline - Stopwatch.GetElapsedTime(start);
                if (left <= TimeSpan.Zero)
                    return IsOpen;
            }

            // Woken, interrupted or opened in between: the word tells which.
            _ = Shim.FutexWait(_address, Awaited, deadline == Timeout.InfiniteTimeSpan ? -1 : (long)left.TotalNanoseconds);
        }
    }
}
