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

    public void RecordEpoch(ulong epoch, int pages, long bytes, TimeSpan pause, TimeSpan commit, TimeSpan apply)
    {
        Pause.Record(pause);
        Commit.Record(commit);
        Apply.Record(apply);
        lock (_lock)
        {
            _counters = new ColoCounters(
                epoch,
                _counters.DirtyPages + (ulong)pages,
                _counters.Bytes + bytes,
                pages,
                bytes,
                pause,
                commit,
                apply);
        }
    }
}
