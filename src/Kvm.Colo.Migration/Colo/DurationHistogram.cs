using System.Numerics;

namespace Kvm.Colo.Migration.Colo;

/// <summary>Durations from 1 us to over an hour in buckets of a quarter octave; recording costs nothing and allocates nothing.</summary>
internal sealed class DurationHistogram
{
    private const int SubBuckets = 4;
    private const int BucketCount = 32 * SubBuckets;

    private readonly long[] _buckets = new long[BucketCount];
    private long _count;
    private long _maxTicks;
    private long _minTicks = long.MaxValue;
    private long _sumTicks;

    public long Count => Volatile.Read(ref _count);

    public TimeSpan Maximum => TimeSpan.FromTicks(Volatile.Read(ref _maxTicks));

    public TimeSpan Minimum => TimeSpan.FromTicks(Count == 0 ? 0 : Volatile.Read(ref _minTicks));

    public TimeSpan Sum => TimeSpan.FromTicks(Volatile.Read(ref _sumTicks));

    /// <summary>The buckets that are not empty: an inclusive upper bound and how many lie in it.</summary>
    public IEnumerable<(TimeSpan UpTo, long Count)> Buckets()
    {
        for (int i = 0; i < BucketCount; i++)
        {
            if (Volatile.Read(ref _buckets[i]) is > 0 and long count)
                yield return (UpperBound(i), count);
        }
    }

    /// <summary>Forgets everything; what another thread records at this moment may be lost or kept.</summary>
    public void Clear()
    {
        Array.Clear(_buckets);
        _count = _maxTicks = _sumTicks = 0;
        _minTicks = long.MaxValue;
    }

    public void Record(TimeSpan duration)
    {
        Interlocked.Add(ref _sumTicks, duration.Ticks);
        Interlocked.Increment(ref _buckets[Index(duration)]);
        Interlocked.Increment(ref _count);
        if (duration.Ticks > _maxTicks)
            Volatile.Write(ref _maxTicks, duration.Ticks);
        if (duration.Ticks < _minTicks)
            Volatile.Write(ref _minTicks, duration.Ticks);
    }

    /// <summary>The duration below which <paramref name="share"/> (0 to 1) of all lie, to a quarter octave; zero when there is none.</summary>
    public TimeSpan Percentile(double share)
    {
        long wanted = (long)Math.Ceiling(Count * share);
        long seen = 0;
        for (int i = 0; i < BucketCount; i++)
        {
            seen += Volatile.Read(ref _buckets[i]);
            if (seen >= wanted && seen > 0)
                return UpperBound(i);
        }

        return TimeSpan.Zero;
    }

    private static int Index(TimeSpan duration)
    {
        ulong us = (ulong)Math.Max(1, duration.Ticks / TimeSpan.TicksPerMicrosecond);
        int octave = BitOperations.Log2(us);
        int sub = octave >= 2 ? (int)((us >> (octave - 2)) & 3) : 0;
        return Math.Min((octave * SubBuckets) + sub, BucketCount - 1);
    }

    private static TimeSpan UpperBound(int index)
    {
        int octave = index / SubBuckets;
        double us = Math.Pow(2, octave) * (1 + ((octave >= 2 ? (index % SubBuckets) + 1 : SubBuckets) / (double)SubBuckets));
        return TimeSpan.FromMicroseconds(us);
    }
}
