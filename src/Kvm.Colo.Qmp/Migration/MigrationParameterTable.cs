using Kvm.Colo.Qmp.Commands;
using Kvm.Colo.Qmp.Schema;

namespace Kvm.Colo.Qmp.Migration;

/// <summary>Every migration parameter with QEMU's names, defaults and ranges, and our own.</summary>
internal static class MigrationParameterTable
{
    private const string Percent99 = "an integer in the range of 1 to 99";

    private static readonly List<MigrationParameter> s_all = [];

    public static readonly MigrationParameter<ulong> AnnounceInitial = Size("announce-initial", 50,
        "milliseconds before the first announcement after a migration", most: 100_000);

    public static readonly MigrationParameter<ulong> AnnounceMax = Size("announce-max", 550,
        "longest time between announcements, in milliseconds", most: 100_000);

    public static readonly MigrationParameter<ulong> AnnounceRounds = Size("announce-rounds", 5,
        "number of announcements", most: 1000);

    public static readonly MigrationParameter<ulong> AnnounceStep =
        Add(new MigrationParameter<ulong>("announce-step", s_all.Count,
        QmpTypes.Size, 100, "milliseconds added between announcements", static value => value is >= 1 and <= 10_000,
        "a value between 1 and 10000"));

    public static readonly MigrationParameter<byte> ThrottleTriggerThreshold = Byte("throttle-trigger-threshold", 50,
        "share of dirtied to transferred bytes that starts throttling, in percent", 1, 100,
        "an integer in the range of 1 to 100");

    public static readonly MigrationParameter<byte> CpuThrottleInitial = Byte("cpu-throttle-initial", 20,
        "percent of vCPU time taken when throttling starts", 1, 99, Percent99);

    public static readonly MigrationParameter<byte> CpuThrottleIncrement = Byte("cpu-throttle-increment", 10,
        "percent added while the migration does not converge", 1, 99, Percent99);

    public static readonly MigrationParameter<bool> CpuThrottleTailslow = Bool("cpu-throttle-tailslow",
        "smaller steps near the end of throttling");

    public static readonly MigrationParameter<string> TlsCreds = Text("tls-creds", "id of the TLS credentials, empty for none");

    public static readonly MigrationParameter<string> TlsHostname = Text("tls-hostname",
        "host name the peer's certificate must have");

    public static readonly MigrationParameter<string> TlsAuthz = Text("tls-authz", "id of the authorization object");

    public static readonly MigrationParameter<ulong> MaxBandwidth = Size("max-bandwidth", 128UL << 20,
        "bytes per second before the switchover, 0 for no limit");

    public static readonly MigrationParameter<ulong> AvailSwitchoverBandwidth = Size("avail-switchover-bandwidth", 0,
        "bytes per second to count on during the switchover, 0 for as measured");

    public static readonly MigrationParameter<ulong> DowntimeLimit =
        Add(new MigrationParameter<ulong>("downtime-limit", s_all.Count,
        QmpTypes.UInt64, 300, "longest acceptable downtime in milliseconds", static value => value <= 2_000_000,
        "an integer in the range of 0 to 2000000 ms"));

    public static readonly MigrationParameter<uint> CheckpointDelay = Add(new MigrationParameter<uint>(
        "x-checkpoint-delay", s_all.Count, QmpTypes.UInt32, 20_000, "milliseconds between COLO checkpoints",
        features: QmpFeatures.Unstable));

    public static readonly MigrationParameter<bool> StrictPause = Bool("x-colo-strict-pause",
        "keep the primary's guest paused until the secondary has loaded the checkpoint, as QEMU does; ours",
        QmpFeatures.Unstable);

    public static readonly MigrationParameter<uint> HeartbeatTimeout = Add(new MigrationParameter<uint>(
        "__org.colo-vm_heartbeat-timeout", s_all.Count, QmpTypes.UInt32, 1000,
        "milliseconds of silence after which the other side counts as lost; ours",
        static value => value is >= 1 and <= 600_000, "an integer in the range of 1 to 600000 ms"));

    public static readonly MigrationParameter<bool> VerifyCheckpoints = Bool("__org.colo-vm_verify-checkpoints",
        "compare a hash of all guest memory after every checkpoint, at the cost of a pass over it; ours");

    public static readonly MigrationParameter<uint> CommitLimit = Add(new MigrationParameter<uint>(
        "__org.colo-vm_commit-limit", s_all.Count, QmpTypes.UInt32, 1000,
        "milliseconds an epoch may take to commit and go live on the secondary before the guest is slowed down (cpu-throttle-initial, "
        + "-increment), 0 for no limit; ours",
        static value => value <= 600_000, "an integer in the range of 0 to 600000 ms"));

    public static readonly MigrationParameter<uint> OutputDelay = Add(new MigrationParameter<uint>(
        "__org.colo-vm_output-delay", s_all.Count, QmpTypes.UInt32, 1,
        "milliseconds the guest runs at least between a checkpoint and one that is taken because a frame of it waits; ours",
        static value => value <= 600_000, "an integer in the range of 0 to 600000 ms"));

    public static readonly MigrationParameter<bool> CopyAhead = On("__org.colo-vm_copy-ahead",
        "copy a large dirty set while the guest still runs, so that the pause copies only what was written again; ours");

    public static readonly MigrationParameter<bool> PageHashes = On("__org.colo-vm_page-hashes",
        "ask by hash which pages the secondary's guest has written the same way; for the next session; ours");

    public static readonly MigrationParameter<bool> InTime = On("__org.colo-vm_in-time",
        "where pages are asked about by hash, stop the secondary's guest when the primary's is stopped and let its clocks go on with the primary's, "
        + "so that both have written the same; for the next session; ours");

    public static readonly MigrationParameter<bool> PreSend = Bool("__org.colo-vm_pre-send",
        "send pages that look settled while the guest still runs, so that fewer are left at the checkpoint; for the next session, on both sides; ours");

    public static readonly MigrationParameter<ulong> DeltaCache = Size("__org.colo-vm_delta-cache-size", 256UL << 20,
        "bytes of pages the primary remembers to send differences against, 0 for none; for the next session; ours", most: 1UL << 40);

    public static readonly MigrationParameter<bool> KeepHotPages = On("__org.colo-vm_keep-hot-pages",
        "on the secondary, overwrite pages that its guest writes in every epoch instead of dropping them; for the next session; ours");

    public static readonly MigrationParameter<byte> MultifdChannels = Byte("multifd-channels", 2,
        "number of channels of a multifd migration", 1, 255, "a value between 1 and 255");

    public static readonly MigrationParameter<MultifdCompression> Compression = Add(new MigrationParameter<MultifdCompression>(
        "multifd-compression", s_all.Count, MigrationTypes.Compression, MultifdCompression.None, "how multifd compresses"));

    public static readonly MigrationParameter<byte> ZlibLevel = Byte("multifd-zlib-level", 1, "0 to 9", 0, 9,
        "a value between 0 and 9");

    public static readonly MigrationParameter<byte> QatzipLevel = Byte("multifd-qatzip-level", 1, "1 to 9", 1, 9,
        "a value between 1 and 9");

    public static readonly MigrationParameter<byte> ZstdLevel = Byte("multifd-zstd-level", 1, "0 to 20", 0, 20,
        "a value between 0 and 20");

    public static readonly MigrationParameter<ulong> XbzrleCacheSize = Add(new MigrationParameter<ulong>(
        "xbzrle-cache-size", s_all.Count, QmpTypes.Size, 64UL << 20, "bytes of the delta compression's page cache",
        static value => value >= 4096 && ulong.IsPow2(value), "a power of two no less than the target page size"));

    public static readonly MigrationParameter<ulong> MaxPostcopyBandwidth = Size("max-postcopy-bandwidth", 0,
        "bytes per second of background pages during postcopy, 0 for no limit");

    public static readonly MigrationParameter<byte> MaxCpuThrottle = Byte("max-cpu-throttle", 99,
        "most percent of vCPU time taken", 1, 99, "an integer in the range of cpu_throttle_initial to 99");

    public static readonly MigrationParameter<ulong> VcpuDirtyLimitPeriod = Add(new MigrationParameter<ulong>(
        "x-vcpu-dirty-limit-period", s_all.Count, QmpTypes.UInt64, 1000, "period of the dirty limit in milliseconds",
        static value => value is >= 1 and <= 1000, "a value between 1 and 1000", QmpFeatures.Unstable));

    public static readonly MigrationParameter<ulong> VcpuDirtyLimit =
        Add(new MigrationParameter<ulong>("vcpu-dirty-limit", s_all.Count,
        QmpTypes.UInt64, 1, "dirty limit of a vCPU in MB per second", static value => value >= 1,
        "a value of at least 1 MB/s"));

    public static readonly MigrationParameter<MigrationMode> Mode = Add(new MigrationParameter<MigrationMode>("mode", s_all.Count,
        MigrationTypes.Mode, MigrationMode.Normal, "kind of migration"));

    public static readonly MigrationParameter<ZeroPageDetection> ZeroPages = Add(new MigrationParameter<ZeroPageDetection>(
        "zero-page-detection", s_all.Count, MigrationTypes.ZeroPages, ZeroPageDetection.Multifd, "who looks for zero pages"));

    public static readonly MigrationParameter<bool> DirectIo = Bool("direct-io", "open files with O_DIRECT");

    /// <summary>In the order of the schema; the static fields above have filled it.</summary>
    public static IReadOnlyList<MigrationParameter> All => s_all;

    /// <summary>The type of <c>query-migrate-parameters</c>: declared last, when the list is complete.</summary>
    public static readonly QmpObject<MigrationParameters> Type = new("MigrationParameters", create: null,
        [.. s_all.Select(parameter => parameter.Field)]);

    private static MigrationParameter<T> Add<T>(MigrationParameter<T> parameter)
        where T : notnull
    {
        s_all.Add(parameter);
        return parameter;
    }

    private static MigrationParameter<ulong> Size(string name, ulong initial, string doc, ulong most = ulong.MaxValue) =>
        Add(new MigrationParameter<ulong>(name, s_all.Count, QmpTypes.Size, initial, doc, value => value <= most,
            $"a value between 0 and {most}"));

    private static MigrationParameter<byte> Byte(string name, byte initial, string doc, byte least, byte most, string expects) =>
        Add(new MigrationParameter<byte>(name, s_all.Count, QmpTypes.UInt8, initial, doc,
            value => value >= least && value <= most, expects));

    private static MigrationParameter<bool> Bool(string name, string doc, QmpFeatures features = QmpFeatures.None) =>
        Add(new MigrationParameter<bool>(name, s_all.Count, QmpTypes.Bool, initial: false, doc, features: features));

    private static MigrationParameter<bool> On(string name, string doc) =>
        Add(new MigrationParameter<bool>(name, s_all.Count, QmpTypes.Bool, initial: true, doc));

    private static MigrationParameter<string> Text(string name, string doc) =>
        Add(new MigrationParameter<string>(name, s_all.Count, QmpTypes.Str, "", doc,
            argument: new QmpMember<string?>(name, MigrationTypes.StringOrNull, isOptional: true) { Doc = doc }));
}
