using System.Globalization;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>
/// What the guest <c>dirty</c> said about its own gaps in an interval (images/README.md). The first report only begins the interval:
/// it tells of the time before.
/// </summary>
internal sealed class GuestReport
{
    // The middle of a bucket a quarter octave wide.
    private const double MiddleOfBucket = 1.09;

    private GuestReport()
    {
    }

    /// <summary>Lower bounds in nanoseconds and counts.</summary>
    public SortedDictionary<long, long> GapsNs { get; } = [];

    public double LargestUs { get; private set; }

    /// <summary>Where the reports begin and end; NaN when there are fewer than two.</summary>
    public double FromUs { get; private set; } = double.NaN;

    public double ToUs { get; private set; } = double.NaN;

    public static GuestReport Read(IEnumerable<(double TimeUs, string Text)> lines)
    {
        GuestReport report = new();
        double largest = 0;
        foreach ((double time, string line) in lines)
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["dirty", "gap-us", { } gap, ..] && double.TryParse(gap, CultureInfo.InvariantCulture, out double us))
                largest = us;
            if (words is not ["dirty", "gaps-ns", .. string[] buckets])
                continue;
            if (double.IsNaN(report.FromUs))
                report.FromUs = time;
            else
                report.Add(time, largest, buckets);
        }

        return report;
    }

    /// <summary>
    /// The length in microseconds below which <paramref name="share"/> of the <paramref name="pauses"/> longest gaps lie: with as many
    /// checkpoints as that in the interval, those gaps are their pauses, or longer things that happened to the guest.
    /// </summary>
    public static double PauseUs(IReadOnlyDictionary<long, long> histogram, int pauses, double share)
    {
        long above = pauses - (long)Math.Ceiling(pauses * share);
        long seen = 0;
        foreach ((long lowerNs, long count) in histogram.OrderByDescending(static bucket => bucket.Key))
        {
            seen += count;
            if (seen > above)
                return lowerNs * MiddleOfBucket / 1000;
        }

        return double.NaN;
    }

    private void Add(double time, double largest, string[] buckets)
    {
        ToUs = time;
        LargestUs = Math.Max(LargestUs, largest);
        foreach (string bucket in buckets)
        {
            string[] parts = bucket.Split(':');
            if (parts.Length == 2
                && long.TryParse(parts[0], CultureInfo.InvariantCulture, out long bound)
                && long.TryParse(parts[1], CultureInfo.InvariantCulture, out long count))
            {
                GapsNs[bound] = GapsNs.GetValueOrDefault(bound) + count;
            }
        }
    }
}
