using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Hosting;

namespace Kvm.Colo.Cli.Hosting;

/// <summary>Fault tolerance for the control socket.</summary>
internal sealed class QmpColoAdapter(MigrationManager manager) : IQmpColo
{
    public QmpColoStatus Status
    {
        get
        {
            MigrationControl? current = manager.Current;
            QmpColoExitReason reason = current?.Failover switch
            {
                null => QmpColoExitReason.None,
                { IsPending: true } => QmpColoExitReason.Processing,
                { } failover => failover.Reason.ToQmp(),
            };
            return new QmpColoStatus(manager.Mode.ToQmp(), manager.LastMode.ToQmp(), reason);
        }
    }

    public QmpColoStatistics? Statistics =>
        manager.Current is { } current && current.Statistics.Pause.Count > 0 | manager.Mode != ColoMode.None
        ? Describe(current, manager)
        : null;

    public string? ReplicationError => null;

    public void LostHeartbeat() => MigrationErrors.Obey(manager.LostHeartbeat);

    public void RequestCheckpoint() => MigrationErrors.Obey(manager.RequestCheckpoint);

    public void SetReplication(bool enable, bool primary, bool failover) => throw QmpErrors.Unsupported();

    public void CheckpointReplication() => throw QmpErrors.Unsupported();

    private static QmpColoStatistics Describe(MigrationControl current, MigrationManager manager)
    {
        ColoStatistics statistics = current.Statistics;
        ColoCounters counters = statistics.Counters;
        return new QmpColoStatistics
        {
            Mode = current.Side.ToQmp(),
            Failover = current.Failover.State.ToQmp(),
            CommittedEpoch = counters.Epoch,
            CurrentEpoch = statistics.CurrentEpoch,
            Checkpoints = (ulong)statistics.Pause.Count,
            AbortedCheckpoints = statistics.Aborted,
            Causes = Causes(statistics),
            DirtyPages = counters.DirtyPages,
            LastDirtyPages = (ulong)counters.Last.Pages,
            IdenticalPages = counters.Identical,
            DeltaPages = counters.Delta,
            ZeroPages = counters.Zero,
            FullPages = counters.Full,
            TransferredBytes = (ulong)counters.Bytes,
            LastTransferredBytes = (ulong)counters.Last.Bytes,
            Pause = Describe(statistics.Pause),
            Commit = current.Side == ColoMode.Primary ? Describe(statistics.Commit) : null,
            Apply = Describe(statistics.Apply),
            PausesWithCollection = (ulong)manager.PausesWithCollection,
            PauseAllocatedBytes = (ulong)manager.PauseAllocatedBytes,
            SkewNanoseconds = counters.Last.Skew?.Ticks * TimeSpan.NanosecondsPerTick,
            ThrottlePercent = (byte)current.ThrottlePercent,
            Recent = [.. statistics.Recent().Select(epoch => Describe(epoch, current.Side))],
        };
    }

    private static QmpEpoch Describe(EpochRecord epoch, ColoMode side) => new()
    {
        Epoch = epoch.Epoch,
        Cause = epoch.Cause?.ToQmp(),
        DirtyPages = (ulong)epoch.Pages,
        IdenticalPages = (ulong)epoch.Fates.Identical,
        DeltaPages = (ulong)epoch.Fates.Delta,
        ZeroPages = (ulong)epoch.Fates.Zero,
        FullPages = (ulong)epoch.Fates.Full,
        Bytes = (ulong)epoch.Bytes,
        PauseMicroseconds = Microseconds(epoch.Pause),
        CommitMicroseconds = side == ColoMode.Primary ? Microseconds(epoch.Commit) : null,
        ApplyMicroseconds = Microseconds(epoch.Apply),
        SkewMicroseconds = epoch.Skew?.Ticks / TimeSpan.TicksPerMicrosecond,
    };

    private static QmpCheckpointCauseCount[] Causes(ColoStatistics statistics) =>
    [
        .. Enum.GetValues<CheckpointCause>()
            .Select(cause => new QmpCheckpointCauseCount(cause.ToQmp(), statistics.CountOf(cause)))
            .Where(static count => count.Count > 0),
    ];

    private static QmpTimeHistogram Describe(DurationHistogram histogram) => new(
        (ulong)histogram.Count,
        Nanoseconds(histogram.Sum),
        Nanoseconds(histogram.Minimum),
        Nanoseconds(histogram.Maximum),
        Nanoseconds(histogram.Percentile(0.50)),
        Nanoseconds(histogram.Percentile(0.99)),
        [.. histogram.Buckets().Select(static bucket => new QmpTimeBucket(Nanoseconds(bucket.UpTo), (ulong)bucket.Count))]);

    private static ulong Microseconds(TimeSpan duration) => (ulong)(duration.Ticks / TimeSpan.TicksPerMicrosecond);

    private static ulong Nanoseconds(TimeSpan duration) => (ulong)duration.Ticks * 100;
}
