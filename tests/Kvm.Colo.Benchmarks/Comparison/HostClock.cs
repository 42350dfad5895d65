namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>CLOCK_REALTIME in microseconds since 1970, as traces and events have it.</summary>
internal static class HostClock
{
    private static readonly WaitHandle s_never = new ManualResetEvent(initialState: false);

    public static double NowUs => Of(TimeProvider.System.GetUtcNow());

    public static double Of(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).TotalMicroseconds;

    /// <summary>Lets time pass; for measuring windows.</summary>
    public static void Pass(TimeSpan duration) => s_never.WaitOne(duration);

    /// <summary>Looks every few milliseconds until something is so.</summary>
    /// <exception cref="TimeoutException">It was not so in time.</exception>
    public static void Until(Func<bool> condition, TimeSpan deadline, string what)
    {
        double end = NowUs + deadline.TotalMicroseconds;
        while (!condition())
        {
            if (NowUs > end)
                throw new TimeoutException($"{what}: not within {deadline.TotalSeconds:0} s");
            Pass(TimeSpan.FromMilliseconds(3));
        }
    }
}
