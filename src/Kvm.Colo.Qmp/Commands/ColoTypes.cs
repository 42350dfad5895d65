using Kvm.Colo.Qmp.Hosting;
using Kvm.Colo.Qmp.Schema;
using static Kvm.Colo.Qmp.Schema.QmpMembers;

namespace Kvm.Colo.Qmp.Commands;

/// <summary>Types of the fault tolerance commands (QAPI <c>migration.json</c>, and our own).</summary>
internal static class ColoTypes
{
    public static readonly QmpEnum<QmpColoMode> Mode = new("COLOMode", "none", "primary", "secondary");

    public static readonly QmpEnum<QmpColoExitReason> ExitReason =
        new("COLOExitReason", "none", "request", "error", "processing");

    public static readonly QmpEnum<QmpFailoverState> FailoverState = new("FailoverStatus",
        "none", "require", "active", "completed", "relaunch");

    public static readonly QmpEnum<QmpCheckpointCause> CheckpointCause = new("__org.colo-vm_CheckpointCause",
        "timer", "request", "packet-mismatch", "packet-timeout", "dirty-pages", "disk", "network", "shutdown");

    public static readonly QmpObject<QmpColoStatus> Status = new("COLOStatus", create: null,
        Field("mode", Mode, (QmpColoStatus status) => status.Mode, "what this side is now"),
        Field("last-mode", Mode, (QmpColoStatus status) => status.LastMode, "what it was before the last failover"),
        Field("reason", ExitReason, (QmpColoStatus status) => status.Reason, "why it left COLO"));

    private static readonly QmpObject<QmpCheckpointCauseCount> s_causeCount =
        new("__org.colo-vm_CheckpointCauseCount", create: null,
        Field("cause", CheckpointCause, (QmpCheckpointCauseCount cause) => cause.Cause),
        Field("count", QmpTypes.UInt64, (QmpCheckpointCauseCount cause) => cause.Count));

    private static readonly QmpObject<QmpTimeBucket> s_bucket = new("__org.colo-vm_TimeBucket", create: null,
        Field("up-to-ns", QmpTypes.UInt64, (QmpTimeBucket bucket) => bucket.UpToNanoseconds, "the bucket's end, inclusive"),
        Field("count", QmpTypes.UInt64, (QmpTimeBucket bucket) => bucket.Count));

    private static readonly QmpObject<QmpTimeHistogram> s_histogram = new("__org.colo-vm_TimeHistogram", create: null,
        Field("count", QmpTypes.UInt64, (QmpTimeHistogram times) => times.Count),
        Field("sum-ns", QmpTypes.UInt64, (QmpTimeHistogram times) => times.SumNanoseconds),
        Field("min-ns", QmpTypes.UInt64, (QmpTimeHistogram times) => times.MinNanoseconds),
        Field("max-ns", QmpTypes.UInt64, (QmpTimeHistogram times) => times.MaxNanoseconds),
        Field("p50-ns", QmpTypes.UInt64, (QmpTimeHistogram times) => times.P50Nanoseconds),
        Field("p99-ns", QmpTypes.UInt64, (QmpTimeHistogram times) => times.P99Nanoseconds),
        Field("buckets", QmpTypes.ListOf(s_bucket), (QmpTimeHistogram times) => times.Buckets));

    private static readonly QmpObject<QmpEpoch> s_epoch = new("__org.colo-vm_Epoch", create: null,
        Field("epoch", QmpTypes.UInt64, (QmpEpoch epoch) => epoch.Epoch),
        OptionalValue("cause", CheckpointCause, (QmpEpoch epoch) => epoch.Cause, "on the primary"),
        Field("dirty-pages", QmpTypes.UInt64, (QmpEpoch epoch) => epoch.DirtyPages),
        Field("identical-pages", QmpTypes.UInt64, (QmpEpoch epoch) => epoch.IdenticalPages,
            "not sent; on the secondary those its own guest had written the same"),
        Field("delta-pages", QmpTypes.UInt64, (QmpEpoch epoch) => epoch.DeltaPages),
        Field("zero-pages", QmpTypes.UInt64, (QmpEpoch epoch) => epoch.ZeroPages),
        Field("full-pages", QmpTypes.UInt64, (QmpEpoch epoch) => epoch.FullPages),
        Field("transferred", QmpTypes.Size, (QmpEpoch epoch) => epoch.Bytes, "bytes over the link"),
        Field("pause-us", QmpTypes.UInt64, (QmpEpoch epoch) => epoch.PauseMicroseconds, "how long the guest of this side stood still"),
        OptionalValue("commit-us", QmpTypes.UInt64, (QmpEpoch epoch) => epoch.CommitMicroseconds,
            "on the primary: from the cut to the secondary having the whole epoch"),
        Field("apply-us", QmpTypes.UInt64, (QmpEpoch epoch) => epoch.ApplyMicroseconds,
            "on the secondary, from guest stop to guest start; on the primary, from the commit to the secondary's word that it is live"),
        OptionalValue("skew-us", QmpTypes.Int, (QmpEpoch epoch) => epoch.SkewMicroseconds, "as `skew-ns` of the statistics"));

    public static readonly QmpObject<QmpColoStatistics> Statistics = new("__org.colo-vm_ColoStatistics", create: null,
        Field("mode", Mode, (QmpColoStatistics colo) => colo.Mode),
        Field("failover", FailoverState, (QmpColoStatistics colo) => colo.Failover),
        Field("committed-epoch", QmpTypes.UInt64, (QmpColoStatistics colo) => colo.CommittedEpoch,
            "last epoch the secondary holds complete"),
        Field("current-epoch", QmpTypes.UInt64, (QmpColoStatistics colo) => colo.CurrentEpoch, "epoch on its way"),
        Field("checkpoints", QmpTypes.UInt64, (QmpColoStatistics colo) => colo.Checkpoints),
        Field("aborted-checkpoints", QmpTypes.UInt64, (QmpColoStatistics colo) => colo.AbortedCheckpoints,
            "begun and never completed: the session ended in them"),
        Field("causes", QmpTypes.ListOf(s_causeCount), (QmpColoStatistics colo) => colo.Causes, "on the primary"),
        Field("dirty-pages", QmpTypes.UInt64, (QmpColoStatistics colo) => colo.DirtyPages, "sum over all checkpoints"),
        Field("last-dirty-pages", QmpTypes.UInt64, (QmpColoStatistics colo) => colo.LastDirtyPages),
        Field("identical-pages", QmpTypes.UInt64, (QmpColoStatistics colo) => colo.IdenticalPages,
            "unchanged since they were last sent, or found equal on both sides by their hash; not sent"),
        Field("delta-pages", QmpTypes.UInt64, (QmpColoStatistics colo) => colo.DeltaPages, "sent as the difference to what was sent last"),
        Field("zero-pages", QmpTypes.UInt64, (QmpColoStatistics colo) => colo.ZeroPages, "pages of zeros"),
        Field("full-pages", QmpTypes.UInt64, (QmpColoStatistics colo) => colo.FullPages, "sent whole"),
        Field("transferred", QmpTypes.Size, (QmpColoStatistics colo) => colo.TransferredBytes, "bytes over the link"),
        Field("last-transferred", QmpTypes.Size, (QmpColoStatistics colo) => colo.LastTransferredBytes),
        OptionalReference("pause", s_histogram, (QmpColoStatistics colo) => colo.Pause,
            "how long the guest stood still for a checkpoint"),
        OptionalReference("commit", s_histogram, (QmpColoStatistics colo) => colo.Commit,
            "from the cut to the secondary having the whole epoch"),
        OptionalReference("apply", s_histogram, (QmpColoStatistics colo) => colo.Apply,
            "on the secondary, from guest stop to guest start"),
        Field("pauses-with-collection", QmpTypes.UInt64, (QmpColoStatistics colo) => colo.PausesWithCollection,
            "pauses since the process began into which a garbage collection fell; should stay 0"),
        Field("pause-allocated", QmpTypes.Size, (QmpColoStatistics colo) => colo.PauseAllocatedBytes,
            "bytes of managed memory allocated inside pauses since the process began; should not grow after the first pauses"),
        OptionalValue("skew-ns", QmpTypes.Int, (QmpColoStatistics colo) => colo.SkewNanoseconds,
            "on the primary: minus the time an epoch takes from the cut to the start of the other guest, which is so far behind; "
            + "on the secondary: how far its guest's clock was ahead of the epoch that replaced it"),
        Field("throttle", QmpTypes.UInt8, (QmpColoStatistics colo) => colo.ThrottlePercent,
            "on the primary, the percentage of its time the guest gives up because the link or the secondary does not keep up"),
        Field("recent", QmpTypes.ListOf(s_epoch), (QmpColoStatistics colo) => colo.Recent, "the last epochs, at most 32, the newest last"));

    public static readonly QmpObject<string> ReplicationStatus = new("ReplicationStatus", create: null,
        Field("error", QmpTypes.Bool, (string error) => error.Length > 0),
        OptionalReference("desc", QmpTypes.Str, (string error) => error.Length > 0 ? error : null));
}
