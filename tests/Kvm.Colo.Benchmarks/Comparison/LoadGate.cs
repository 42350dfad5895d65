using System.Diagnostics;
using System.Globalization;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>
/// Finds out whether this machine is ours: one thread per CPU looks at the clock as fast as it can, and time between two looks that
/// is far longer than a look was somebody else's, a neighbour's on the host below included.
/// </summary>
internal static class LoadGate
{
    /// <summary>More than this share of lost time spoils percentiles.</summary>
    public const double Limit = 0.03;

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan s_longGap = TimeSpan.FromMicroseconds(60);

    /// <summary>Share of CPU time, 0 to 1, that did not come to us.</summary>
    public static double Measure()
    {
        double[] lost = new double[Environment.ProcessorCount];
        Thread[] threads = [.. Enumerable.Range(0, lost.Length).Select(i => new Thread(() => lost[i] = Spin()) { Name = $"gate-{i}" })];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        return lost.Average();
    }

    /// <summary>Waits a while for a quiet moment.</summary>
    /// <returns>The share of lost time of the last look.</returns>
    public static double WaitForQuiet(TimeSpan patience)
    {
        long start = Stopwatch.GetTimestamp();
        double busy = Measure();
        while (busy > Limit && Stopwatch.GetElapsedTime(start) < patience)
        {
            HostClock.Pass(TimeSpan.FromSeconds(1));
            busy = Measure();
        }

        return busy;
    }

    /// <summary>Runnable tasks on average over the last minute.</summary>
    public static double LoadAverage() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    private static double Spin()
    {
        long start = Stopwatch.GetTimestamp();
        long last = start;
        TimeSpan lost = default;
        while (true)
        {
            long now = Stopwatch.GetTimestamp();
            TimeSpan gap = Stopwatch.GetElapsedTime(last, now);
            if (gap > s_longGap)
                lost += gap;
            last = now;
            TimeSpan all = Stopwatch.GetElapsedTime(start, now);
            if (all >= s_look)
                return lost / all;
        }
    }
}
