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
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_betweenLooks = TimeSpan.FromSeconds(1);

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

    /// <summary>Before a run: with <paramref name="force"/> one look, else up to half a minute for a quiet moment.</summary>
    /// <returns>The share of lost time of the last look.</returns>
    public static double Look(bool force) => force ? Measure() : WaitForQuiet(s_patience, Measure, TimeProvider.System, HostClock.Pass);

    /// <summary>Looks until it is quiet or patience has run out.</summary>
    /// <param name="patience">No further look begins after it.</param>
    /// <param name="look">Gives the share of lost time.</param>
    /// <param name="clock">Measures the patience.</param>
    /// <param name="pass">Lets time pass between two looks.</param>
    /// <returns>The share of lost time of the last look.</returns>
    public static double WaitForQuiet(TimeSpan patience, Func<double> look, TimeProvider clock, Action<TimeSpan> pass)
    {
        long start = clock.GetTimestamp();
        double busy = look();
        while (busy > Limit && clock.GetElapsedTime(start) < patience)
        {
            pass(s_betweenLooks);
            busy = look();
        }

        return busy;
    }

    /// <summary>Whether a comparison may begin, and what is to be said about it.</summary>
    public static bool MayBegin(double busy, bool force, double loadAverage, out string? message)
    {
        message = null;
        if (busy <= Limit)
            return true;
        string found = string.Create(CultureInfo.InvariantCulture,
            $"this machine is busy: {100 * busy:0.0} % of the CPU time goes elsewhere (limit {100 * Limit:0} %), load average {loadAverage:0.0}");
        message = force
            ? $"{found}. Measuring all the same; do not quote these figures."
            : $"{found}. Try again when it is quiet, or see what comes with --force.";
        return force;
    }

    /// <summary>The gate at the start of a command; its message goes to standard error.</summary>
    public static bool Pass(bool force)
    {
        bool mayBegin = MayBegin(Look(force), force, LoadAverage(), out string? message);
        if (message is not null)
            Console.Error.WriteLine($"bench: {message}");
        return mayBegin;
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
