namespace Kvm.Colo.Migration.Colo;

/// <summary>What the checkpoints of a session cost; written by the session's thread, snapshots from any.</summary>
internal sealed class ColoStatistics
{
    private readonly Lock _lock = new();
    private ColoCounters _counters;

    public DurationHistogram Pause { get; } = new();

    /// <summary>From the cut to the peer's vmstate-received.</summary>
    public DurationHistogram Commit { get; } = new();

    /// <summary>From the whole epoch in memory to its guest running (secondary), or as the primary sees it.</summary>
    public DurationHistogram Apply { get; } = new();

    public ColoCounters Counters
    {
        get
        {
            lock (_lock)
                return _counters;
        }
    }

    public void RecordEpoch(EpochRecord epoch)
    {
        Pause.Record(epoch.Pause);
        Commit.Record(epoch.Commit);
        Apply.Record(epoch.Apply);
        lock (_lock)
            _counters = _counters.Plus(epoch);
    }
}
