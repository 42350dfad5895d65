using Kvm.Colo.Qmp.Hosting;
using Kvm.Colo.Qmp.Schema;
using static Kvm.Colo.Qmp.Schema.QmpMembers;

namespace Kvm.Colo.Qmp.Commands;

/// <summary>Types of the device commands (QAPI <c>char.json</c>, <c>block-core.json</c>, <c>qom.json</c>).</summary>
internal static class DeviceTypes
{
    public static readonly QmpEnum<QmpIoOperation> IoOperation = new("IoOperationType", "read", "write");

    public static readonly QmpEnum<QmpBlockErrorAction> IoErrorAction = new("BlockErrorAction", "ignore", "report", "stop");

    private static readonly QmpEnum<QmpBlockIoStatus> s_ioStatus = new("BlockDeviceIoStatus", "ok", "failed", "nospace");

    public static readonly QmpObject<QmpChardev> Chardev = new("ChardevInfo", create: null,
        Field("label", QmpTypes.Str, (QmpChardev chardev) => chardev.Label),
        Field("filename", QmpTypes.Str, (QmpChardev chardev) => chardev.FileName, "what it is connected to"),
        Field("frontend-open", QmpTypes.Bool, (QmpChardev chardev) => chardev.FrontendOpen, "true when a device has it open"));

    public static readonly QmpObject<QmpIoThread> IoThread = new("IOThreadInfo", create: null,
        Field("id", QmpTypes.Str, (QmpIoThread thread) => thread.Id),
        Field("thread-id", QmpTypes.Int, (QmpIoThread thread) => thread.ThreadId, "kernel thread id"),
        Field("poll-max-ns", QmpTypes.Int, (QmpIoThread thread) => thread.PollMaxNanoseconds),
        Field("poll-grow", QmpTypes.Int, (QmpIoThread thread) => thread.PollGrow),
        Field("poll-shrink", QmpTypes.Int, (QmpIoThread thread) => thread.PollShrink),
        Field("aio-max-batch", QmpTypes.Int, (QmpIoThread thread) => thread.AioMaxBatch));

    private static readonly QmpObject<QmpBlockDevice> s_image = new("ImageInfo", create: null,
        Field("filename", QmpTypes.Str, (QmpBlockDevice disk) => disk.FileName),
        Field("format", QmpTypes.Str, (QmpBlockDevice disk) => disk.Driver),
        Field("virtual-size", QmpTypes.Int, (QmpBlockDevice disk) => disk.VirtualSizeBytes, "bytes"));

    private static readonly QmpObject<QmpBlockDevice> s_cache = new("BlockdevCacheInfo", create: null,
        Field("writeback", QmpTypes.Bool, (QmpBlockDevice disk) => disk.IsWriteBack),
        Field("direct", QmpTypes.Bool, (QmpBlockDevice disk) => disk.IsDirect),
        Field("no-flush", QmpTypes.Bool, (QmpBlockDevice _) => false, "never: a flush is always done"));

    private static readonly QmpEnum<DetectZeroes> s_detectZeroes = new("BlockdevDetectZeroesOptions", "off", "on", "unmap");

    /// <summary>Zeros stand for what disks of this product never have: throttling, encryption, a write threshold.</summary>
    private static readonly QmpObject<QmpBlockDevice> s_inserted = new("BlockDeviceInfo", create: null,
        Field("node-name", QmpTypes.Str, (QmpBlockDevice disk) => disk.NodeName),
        Field("file", QmpTypes.Str, (QmpBlockDevice disk) => disk.FileName),
        Field("active", QmpTypes.Bool, (QmpBlockDevice disk) => disk.IsActive, "false while the guest is on another host"),
        Field("ro", QmpTypes.Bool, (QmpBlockDevice disk) => disk.ReadOnly),
        Field("drv", QmpTypes.Str, (QmpBlockDevice disk) => disk.Driver),
        Field("backing_file_depth", QmpTypes.Int, (QmpBlockDevice disk) => disk.BackingFileDepth),
        Field("encrypted", QmpTypes.Bool, (QmpBlockDevice _) => false),
        Field("detect_zeroes", s_detectZeroes, (QmpBlockDevice _) => DetectZeroes.Off),
        None("bps"), None("bps_rd"), None("bps_wr"), None("iops"), None("iops_rd"), None("iops_wr"), None("write_threshold"),
        Field("cache", s_cache, (QmpBlockDevice disk) => disk),
        Field("image", s_image, (QmpBlockDevice disk) => disk));

    /// <summary>No disk of this product has a medium to take out, so removable and locked are false.</summary>
    public static readonly QmpObject<QmpBlockDevice> Block = new("BlockInfo", create: null,
        Field("device", QmpTypes.Str, (QmpBlockDevice disk) => disk.Device ?? ""),
        OptionalReference("qdev", QmpTypes.Str, (QmpBlockDevice disk) => disk.QomPath),
        Field("type", QmpTypes.Str, (QmpBlockDevice _) => "unknown"),
        Field("removable", QmpTypes.Bool, (QmpBlockDevice _) => false),
        Field("locked", QmpTypes.Bool, (QmpBlockDevice _) => false),
        OptionalReference("inserted", s_inserted, (QmpBlockDevice disk) => disk),
        OptionalValue("io-status", s_ioStatus, (QmpBlockDevice disk) => (QmpBlockIoStatus?)disk.IoStatus));

    private static readonly QmpObject<QmpBlockCounters> s_counters = new("BlockDeviceStats", create: null,
        Field("rd_bytes", QmpTypes.Int, (QmpBlockCounters disk) => disk.ReadBytes),
        Field("wr_bytes", QmpTypes.Int, (QmpBlockCounters disk) => disk.WriteBytes),
        Field("rd_operations", QmpTypes.Int, (QmpBlockCounters disk) => disk.ReadOperations),
        Field("wr_operations", QmpTypes.Int, (QmpBlockCounters disk) => disk.WriteOperations),
        Field("flush_operations", QmpTypes.Int, (QmpBlockCounters disk) => disk.FlushOperations),
        Field("rd_total_time_ns", QmpTypes.Int, (QmpBlockCounters disk) => disk.ReadNanoseconds),
        Field("wr_total_time_ns", QmpTypes.Int, (QmpBlockCounters disk) => disk.WriteNanoseconds),
        Field("flush_total_time_ns", QmpTypes.Int, (QmpBlockCounters disk) => disk.FlushNanoseconds),
        Field("wr_highest_offset", QmpTypes.Int, (QmpBlockCounters disk) => disk.HighestWrittenOffset),
        Field("failed_rd_operations", QmpTypes.Int, (QmpBlockCounters disk) => disk.FailedReads),
        Field("failed_wr_operations", QmpTypes.Int, (QmpBlockCounters disk) => disk.FailedWrites),
        Field("failed_flush_operations", QmpTypes.Int, (QmpBlockCounters disk) => disk.FailedFlushes),
        Field("failed_unmap_operations", QmpTypes.Int, (QmpBlockCounters disk) => disk.FailedUnmaps),
        Field("invalid_rd_operations", QmpTypes.Int, (QmpBlockCounters disk) => disk.InvalidReads),
        Field("invalid_wr_operations", QmpTypes.Int, (QmpBlockCounters disk) => disk.InvalidWrites),
        Field("invalid_flush_operations", QmpTypes.Int, (QmpBlockCounters disk) => disk.InvalidFlushes),
        Field("invalid_unmap_operations", QmpTypes.Int, (QmpBlockCounters disk) => disk.InvalidUnmaps),
        Field("unmap_bytes", QmpTypes.Int, (QmpBlockCounters disk) => disk.UnmapBytes),
        Field("unmap_operations", QmpTypes.Int, (QmpBlockCounters disk) => disk.UnmapOperations),
        Field("unmap_total_time_ns", QmpTypes.Int, (QmpBlockCounters disk) => disk.UnmapNanoseconds),
        NoZone("zone_append_bytes", "0: no disk of this product has zones"), NoZone("zone_append_operations"),
        NoZone("zone_append_total_time_ns"), NoZone("zone_append_merged"), NoZone("failed_zone_append_operations"),
        NoZone("invalid_zone_append_operations"),
        Field("rd_merged", QmpTypes.Int, (QmpBlockCounters _) => 0L, "0: requests are never merged"),
        Field("wr_merged", QmpTypes.Int, (QmpBlockCounters _) => 0L),
        Field("unmap_merged", QmpTypes.Int, (QmpBlockCounters _) => 0L),
        Field("account_invalid", QmpTypes.Bool, (QmpBlockCounters _) => false, "invalid requests are not in the sums"),
        Field("account_failed", QmpTypes.Bool, (QmpBlockCounters _) => false, "failed requests are not in the sums"),
        Field("timed_stats", QmpTypes.ListOf(QmpTypes.Any), (QmpBlockCounters _) => (IReadOnlyList<object>)[],
            "no intervals are kept"));

    public static readonly QmpObject<QmpBlockDevice> BlockStats = new("BlockStats", create: null,
        OptionalReference("device", QmpTypes.Str, (QmpBlockDevice disk) => disk.Device),
        OptionalReference("qdev", QmpTypes.Str, (QmpBlockDevice disk) => disk.QomPath),
        OptionalReference("node-name", QmpTypes.Str, (QmpBlockDevice disk) => disk.NodeName),
        Field("stats", s_counters, (QmpBlockDevice disk) => disk.Counters));

    private static readonly QmpObject<QmpNetCard> s_card = new("__org.colo-vm_NetCard", create: null,
        Field("ifname", QmpTypes.Str, (QmpNetCard card) => card.InterfaceName, "the host's interface"),
        Field("mac", QmpTypes.Str, (QmpNetCard card) => card.Address),
        Field("link-up", QmpTypes.Bool, (QmpNetCard card) => card.IsLinkUp, "this host's; `set_link` changes it"),
        Field("rx-frames", QmpTypes.Int, (QmpNetCard card) => card.ReceivedFrames, "frames the guest was given"),
        Field("rx-bytes", QmpTypes.Int, (QmpNetCard card) => card.ReceivedBytes),
        Field("rx-dropped", QmpTypes.Int, (QmpNetCard card) => card.ReceiveDropped,
            "the guest's buffers were too small, or the link was down"),
        Field("tx-frames", QmpTypes.Int, (QmpNetCard card) => card.SentFrames, "frames taken from the guest"),
        Field("tx-bytes", QmpTypes.Int, (QmpNetCard card) => card.SentBytes),
        Field("tx-dropped", QmpTypes.Int, (QmpNetCard card) => card.SendDropped, "illegal, with the link down, or refused by the host"),
        Field("tx-held", QmpTypes.Int, (QmpNetCard card) => card.HeldFrames, "frames that had to wait for their epoch"),
        Field("tx-waiting", QmpTypes.Int, (QmpNetCard card) => card.WaitingFrames, "frames that wait for it now"),
        Field("tx-never-left", QmpTypes.Int, (QmpNetCard card) => card.NeverLeft,
            "taken and never sent: a secondary's own, or refused by the host when their time came"));

    public static readonly QmpObject<QmpVirtioDevice> VirtioDevice = new("__org.colo-vm_VirtioDevice", create: null,
        Field("id", QmpTypes.Str, (QmpVirtioDevice device) => device.Id),
        Field("type", QmpTypes.Str, (QmpVirtioDevice device) => device.Type),
        Field("status", QmpTypes.Int, (QmpVirtioDevice device) => device.Status, "the status register"),
        Field("needs-reset", QmpTypes.Bool, (QmpVirtioDevice device) => device.NeedsReset,
            "its driver broke it: it stands still until the driver resets it"),
        Field("guest-faults", QmpTypes.Int, (QmpVirtioDevice device) => device.GuestFaults, "what its driver did wrong"),
        Field("host-errors", QmpTypes.Int, (QmpVirtioDevice device) => device.HostErrors, "what the host refused"),
        OptionalReference("net", s_card, (QmpVirtioDevice device) => device.Net));

    public static readonly QmpObject<QmpPropertyInfo> Property = new("ObjectPropertyInfo", create: null,
        Field("name", QmpTypes.Str, (QmpPropertyInfo property) => property.Name),
        Field("type", QmpTypes.Str, (QmpPropertyInfo property) => property.Type));

    private enum DetectZeroes
    {
        Off,
        On,
        Unmap,
    }

    private static QmpField<QmpBlockCounters, long> NoZone(string name, string doc = "") =>
        Field(name, QmpTypes.Int, (QmpBlockCounters _) => 0L, doc);

    private static QmpField<QmpBlockDevice, long> None(string name) => Field(name, QmpTypes.Int, (QmpBlockDevice _) => 0L);
}
