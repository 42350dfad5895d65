namespace Kvm.Colo.Qmp.Hosting;

/// <summary>What one epoch cost, as the side that answers knows it; times in microseconds.</summary>
internal sealed record QmpEpoch
{
    public required ulong Epoch { get; init; }

    /// <summary>Null on the secondary, which is not told.</summary>
    public QmpCheckpointCause? Cause { get; init; }

    public ulong DirtyPages { get; init; }

    public ulong IdenticalPages { get; init; }

    public ulong DeltaPages { get; init; }

    public ulong ZeroPages { get; init; }

    public ulong FullPages { get; init; }

    public ulong Bytes { get; init; }

    public ulong PauseMicroseconds { get; init; }

    /// <summary>Null on the secondary: from the cut to the commit is the primary's to measure.</summary>
    public ulong? CommitMicroseconds { get; init; }

    public ulong ApplyMicroseconds { get; init; }

    /// <summary>As <see cref="QmpColoStatistics.SkewNanoseconds"/>, of this epoch.</summary>
    public long? SkewMicroseconds { get; init; }
}
