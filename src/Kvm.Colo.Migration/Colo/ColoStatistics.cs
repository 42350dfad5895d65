namespace Kvm.Colo.Migration.Colo;

/// <summary>What the checkpoints of a session cost; written by the session's thread, snapshots from any.</summary>
internal sealed class ColoStatistics
{
    /// <summary>How many epochs are remembered one by one.</summary>
    public const int RecentEpochs = 32;

    private static readonly int s_causes = Enum.GetValues<CheckpointCause>().Length;

    private readonly Lock _lock = new();
    private readonly ulong[] _causes = new ulong[s_causes];
    private readonly EpochRecord[] _recent = new EpochRecord[RecentEpochs];
    private ulong _recorded;
    private ColoCounters _counters;
    private ulong _current;
    private ulong _aborted;

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

    /// <summary>The epoch on its way, equal to the last whole one between checkpoints.</summary>
    public ulong CurrentEpoch
    {
        get
        {
            lock (_lock)
                return _current;
        }
    }

    /// <summary>Checkpoints that were begun and never became whole: their session broke or was ended in them.</summary>
    public ulong Aborted
    {
        get
        {
            lock (_lock)
                return _aborted;
        }
    }

    /// <summary>The last epochs, the newest last; at most <see cref="RecentEpochs"/>. A copy.</summary>
    public EpochRecord[] Recent()
    {
        lock (_lock)
        {
            var recent = new EpochRecord[(int)Math.Min(_recorded, RecentEpochs)];
            for (int i = 0; i < recent.Length; i++)
                recent[i] = _recent[(_recorded - (ulong)recent.Length + (ulong)i) % RecentEpochs];
            return recent;
        }
    }

    /// <summary>How many checkpoints had this cause.</summary>
    public ulong CountOf(CheckpointCause cause)
    {
        lock (_lock)
            return _causes[(int)cause];
    }

    /// <summary>A checkpoint begins.</summary>
    public void Begin(ulong epoch)
    {
        lock (_lock)
            _current = epoch;
    }

    public void RecordEpoch(EpochRecord epoch)
    {
        Pause.Record(epoch.Pause);
        Commit.Record(epoch.Commit);
        Apply.Record(epoch.Apply);
        lock (_lock)
        {
            _recent[_recorded++ % RecentEpochs] = epoch;
            _counters = _counters.Plus(epoch);
            _current = epoch.Epoch;
            if (epoch.Cause is { } cause)
                _causes[(int)cause]++;
        }
    }

    /// <summary>The session has ended; a checkpoint that was under way will not be completed.</summary>
    public void End()
    {
        lock (_lock)
        {
            if (_current == _counters.Epoch)
                return;
            _aborted++;
            _current = _counters.Epoch;
        }
    }
}
