using Kvm.Colo.Devices.Virtio.Blk;
using Kvm.Colo.Machine;
using Kvm.Colo.Qmp.Hosting;

namespace Kvm.Colo.Cli.Hosting;

/// <summary>Disks for <c>query-block</c> and <c>query-blockstats</c>.</summary>
internal static class QmpDisks
{
    public static QmpBlockDevice Describe(DiskConfig config, VirtioBlk disk, string path) => new()
    {
        Device = config.Id,
        QomPath = path,
        NodeName = config.Id,
        FileName = config.Path,
        Driver = "raw",
        ReadOnly = config.IsReadOnly,
        VirtualSizeBytes = (long)disk.CapacityBytes,
        Counters = Describe(disk.Counters),
    };

    private static QmpBlockCounters Describe(VirtioBlkCounters counters) => new()
    {
        ReadBytes = counters.Reads.Bytes,
        ReadOperations = counters.Reads.Operations,
        ReadNanoseconds = Nanoseconds(counters.Reads),
        FailedReads = counters.Reads.Failed,
        InvalidReads = counters.Reads.Invalid,
        WriteBytes = counters.Writes.Bytes,
        WriteOperations = counters.Writes.Operations,
        WriteNanoseconds = Nanoseconds(counters.Writes),
        FailedWrites = counters.Writes.Failed,
        InvalidWrites = counters.Writes.Invalid,
        FlushOperations = counters.Flushes.Operations,
        FlushNanoseconds = Nanoseconds(counters.Flushes),
        FailedFlushes = counters.Flushes.Failed,
        InvalidFlushes = counters.Flushes.Invalid,
        UnmapBytes = counters.Discards.Bytes,
        UnmapOperations = counters.Discards.Operations,
        UnmapNanoseconds = Nanoseconds(counters.Discards),
        FailedUnmaps = counters.Discards.Failed,
        InvalidUnmaps = counters.Discards.Invalid,
        HighestWrittenOffset = counters.HighestWritten,
    };

    private static long Nanoseconds(VirtioBlkCounters.Sum sum) => sum.Time.Ticks * TimeSpan.NanosecondsPerTick;
}
