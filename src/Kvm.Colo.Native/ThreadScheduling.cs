namespace Kvm.Colo.Native;

/// <summary>
/// Scheduling of our own threads. Those that end a pause of the guest come before the vCPUs, which never stop wanting the CPU: a short
/// time slice gives them an early deadline when they wake (Linux 6.12, sched_setattr(2)), the nice value a larger share, and their timers are
/// not put off to go with others (50 us by default, prctl(2)). All of it stays inside SCHED_OTHER, so that nothing here can starve the host.
/// </summary>
internal static class ThreadScheduling
{
    private const int UrgentNice = -10;
    private const ulong ShortestSliceNanoseconds = 100_000;
    private const ulong LeastTimerSlackNanoseconds = 1;

    /// <summary>For the calling thread, whose answers a guest or its network waits for: soon on a CPU, with no larger share of it.</summary>
    public static void BecomePrompt()
    {
        _ = Shim.SetScheduling(Shim.ThreadId(), 0, ShortestSliceNanoseconds);
        _ = Shim.SetTimerSlack(LeastTimerSlackNanoseconds);
    }

    /// <summary>For the calling thread, while a guest stands still for its work. Without the right to a better nice value the slice remains.</summary>
    public static void BecomeUrgent()
    {
        long thread = Shim.ThreadId();
        if (Shim.SetScheduling(thread, UrgentNice, ShortestSliceNanoseconds) < 0)
            _ = Shim.SetScheduling(thread, 0, ShortestSliceNanoseconds);
        _ = Shim.SetTimerSlack(LeastTimerSlackNanoseconds);
    }
}
