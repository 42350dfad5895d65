namespace Kvm.Colo.Qmp.Hosting;

/// <summary>Result of <c>query-colo-statistics</c>: sums since the session began; times in nanoseconds.</summary>
internal sealed record QmpColoStatistics
{
    public required QmpColoMode Mode { get; init; }

    public QmpFailoverState Failover { get; init; }

    /// <summary>On the primary, the share of its time the guest gives up so that its epochs keep up, in percent.</summary>
    public byte ThrottlePercent { get; init; }

    /// <summary>Last epoch the secondary holds complete.</summary>
    public ulong CommittedEpoch { get; init; }

    /// <summary>Epoch on its way, equal to the committed one between checkpoints.</summary>
    public ulong CurrentEpoch { get; init; }

    public ulong Checkpoints { get; init; }

    public ulong AbortedCheckpoints { get; init; }

    public IReadOnlyList<QmpCheckpointCauseCount> Causes { get; init; } = [];

    public ulong DirtyPages { get; init; }

    public ulong LastDirtyPages { get; init; }

    /// <summary>Pages found equal on both sides by their hash, not sent.</summary>
    public ulong IdenticalPages { get; init; }

    /// <summary>Pages sent as their difference to what was sent last.</summary>
    public ulong DeltaPages { get; init; }

    public ulong ZeroPages { get; init; }

    /// <summary>Pages sent whole.</summary>
    public ulong FullPages { get; init; }

    public ulong TransferredBytes { get; init; }

    public ulong LastTransferredBytes { get; init; }

    /// <summary>How long the guest stood still for a checkpoint.</summary>
    public QmpTimeHistogram? Pause { get; init; }

    /// <summary>From the cut to the secondary's vmstate-received.</summary>
    public QmpTimeHistogram? Commit { get; init; }

    /// <summary>On the secondary, from guest stop to guest start.</summary>
    public QmpTimeHistogram? Apply { get; init; }

    /// <summary>Pauses since the process began into which a garbage collection fell.</summary>
    public ulong PausesWithCollection { get; init; }

    /// <summary>Managed memory allocated inside pauses since the process began.</summary>
    public ulong PauseAllocatedBytes { get; init; }

    /// <summary>
    /// How far the secondary's guest is ahead. On the primary never: an epoch takes so long from the cut to the other guest's start. On
    /// the secondary its guest's clock less that of the epoch that replaced it last.
    /// </summary>
    public long? SkewNanoseconds { get; init; }

    /// <summary>The last epochs one by one, the newest last.</summary>
    public IReadOnlyList<QmpEpoch> Recent { get; init; } = [];
}

/// <summary>How many checkpoints had one cause.</summary>
internal sealed record QmpCheckpointCauseCount(QmpCheckpointCause Cause, ulong Count);

/// <summary>Why a checkpoint was taken.</summary>
internal enum QmpCheckpointCause
{
    Timer,
    Request,
    PacketMismatch,
    PacketTimeout,
    DirtyPages,
    Disk,
    Network,
    Shutdown,
}

/// <summary>A distribution of durations; each bucket ends at its bound, inclusive, and begins after the one before.</summary>
internal sealed record QmpTimeHistogram(
    ulong Count, ulong SumNanoseconds, ulong MinNanoseconds, ulong MaxNanoseconds,
    ulong P50Nanoseconds, ulong P99Nanoseconds, IReadOnlyList<QmpTimeBucket> Buckets);

/// <summary>One bucket of a <see cref="QmpTimeHistogram"/>.</summary>
internal sealed record QmpTimeBucket(ulong UpToNanoseconds, ulong Count);
