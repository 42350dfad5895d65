using Kvm.Colo.Qmp.Hosting;
using Kvm.Colo.Qmp.Migration;
using Kvm.Colo.Qmp.Schema;
using static Kvm.Colo.Qmp.Schema.QmpMembers;

namespace Kvm.Colo.Qmp.Commands;

/// <summary>Types of the migration commands (QAPI <c>migration.json</c>, <c>sockets.json</c>, <c>yank.json</c>).</summary>
internal static class MigrationTypes
{
    public static readonly QmpType<string?> StringOrNull = new QmpStringOrNull();

    public static readonly QmpEnum<QmpMigrationStatus> Status = new("MigrationStatus",
        "none", "setup", "cancelling", "cancelled", "active", "postcopy-device", "postcopy-active", "postcopy-paused",
        "postcopy-recover-setup", "postcopy-recover", "completed", "failing", "failed", "colo", "pre-switchover", "device",
        "wait-unplug");

    public static readonly QmpEnum<MigrationCapability> Capability = new("MigrationCapability",
        "xbzrle", "rdma-pin-all", "auto-converge", "zero-blocks", "events", "postcopy-ram", "x-colo", "release-ram",
        "return-path", "pause-before-switchover", "multifd", "dirty-bitmaps", "postcopy-blocktime", "late-block-activate", "x-ignore-shared",
        "validate-uuid", "background-snapshot", "zero-copy-send", "postcopy-preempt", "switchover-ack", "dirty-limit",
        "mapped-ram")
    { Unstable = new HashSet<string>(StringComparer.Ordinal) { "x-colo", "x-ignore-shared" } };

    public static readonly QmpEnum<MultifdCompression> Compression = new("MultiFDCompression",
        "none", "zlib", "zstd", "qatzip", "qpl", "uadk");

    public static readonly QmpEnum<MigrationMode> Mode = new("MigMode", "normal", "cpr-reboot", "cpr-transfer", "cpr-exec");

    public static readonly QmpEnum<ZeroPageDetection> ZeroPages = new("ZeroPageDetection", "none", "legacy", "multifd");

    private static readonly QmpField<MigrationCapabilityStatus, MigrationCapability> s_capability =
        Field("capability", Capability, (MigrationCapabilityStatus status) => status.Capability);

    private static readonly QmpField<MigrationCapabilityStatus, bool> s_state =
        Field("state", QmpTypes.Bool, (MigrationCapabilityStatus status) => status.State);

    public static readonly QmpObject<MigrationCapabilityStatus> CapabilityStatus = new("MigrationCapabilityStatus",
        static values => new MigrationCapabilityStatus(values.Get(s_capability), values.Get(s_state)), s_capability, s_state);

    private static readonly QmpObject<QmpRamStatistics> s_ram = new("MigrationRAMStats", create: null,
        Field("transferred", QmpTypes.Int, (QmpRamStatistics ram) => ram.TransferredBytes, "bytes sent"),
        Field("remaining", QmpTypes.Int, (QmpRamStatistics ram) => ram.RemainingBytes, "bytes still to send"),
        Field("total", QmpTypes.Int, (QmpRamStatistics ram) => ram.TotalBytes, "bytes of guest memory"),
        Field("duplicate", QmpTypes.Int, (QmpRamStatistics ram) => ram.DuplicatePages, "zero pages"),
        Field("normal", QmpTypes.Int, (QmpRamStatistics ram) => ram.NormalPages, "pages sent whole"),
        Field("normal-bytes", QmpTypes.Int, (QmpRamStatistics ram) => ram.NormalBytes),
        Field("dirty-pages-rate", QmpTypes.Int, (QmpRamStatistics ram) => ram.DirtyPagesRate, "pages per second"),
        Field("mbps", QmpTypes.Number, (QmpRamStatistics ram) => ram.MegabitsPerSecond, "megabits per second"),
        Field("dirty-sync-count", QmpTypes.Int, (QmpRamStatistics ram) => ram.DirtySyncCount),
        Field("postcopy-requests", QmpTypes.Int, (QmpRamStatistics ram) => ram.PostcopyRequests),
        Field("page-size", QmpTypes.Int, (QmpRamStatistics ram) => ram.PageSizeBytes),
        Field("multifd-bytes", QmpTypes.UInt64, (QmpRamStatistics ram) => ram.MultifdBytes),
        Field("pages-per-second", QmpTypes.UInt64, (QmpRamStatistics ram) => ram.PagesPerSecond),
        Field("precopy-bytes", QmpTypes.UInt64, (QmpRamStatistics ram) => ram.PrecopyBytes),
        Field("downtime-bytes", QmpTypes.UInt64, (QmpRamStatistics ram) => ram.DowntimeBytes),
        Field("postcopy-bytes", QmpTypes.UInt64, (QmpRamStatistics ram) => ram.PostcopyBytes),
        Field("dirty-sync-missed-zero-copy", QmpTypes.UInt64, (QmpRamStatistics ram) => ram.DirtySyncMissedZeroCopy));

    private static readonly QmpEnum<QmpSocketKind> s_socketKind = new("SocketAddressType", "inet", "unix", "vsock", "fd");

    private static readonly QmpField<QmpSocketAddress, QmpSocketKind> s_socketType =
        Field("type", s_socketKind, (QmpSocketAddress address) => address.Kind);

    private static readonly QmpField<QmpSocketAddress, string> s_host =
        Field("host", QmpTypes.Str, (QmpSocketAddress address) => address.Host!);

    private static readonly QmpField<QmpSocketAddress, string> s_port =
        Field("port", QmpTypes.Str, (QmpSocketAddress address) => address.Port!);

    private static readonly QmpField<QmpSocketAddress, string> s_path =
        Field("path", QmpTypes.Str, (QmpSocketAddress address) => address.Path!);

    private static readonly QmpField<QmpSocketAddress, string> s_cid =
        Field("cid", QmpTypes.Str, (QmpSocketAddress address) => address.Identifier!);

    private static readonly QmpField<QmpSocketAddress, string> s_fd =
        Field("str", QmpTypes.Str, (QmpSocketAddress address) => address.Identifier!);

    private static readonly (string, QmpObject<QmpSocketAddress>)[] s_socketBranches =
    [
        ("inet", new QmpObject<QmpSocketAddress>("InetSocketAddress", create: null, s_host, s_port)),
        ("unix", new QmpObject<QmpSocketAddress>("UnixSocketAddress", create: null, s_path)),
        ("vsock", new QmpObject<QmpSocketAddress>("VsockSocketAddress", create: null, s_cid, s_port)),
        ("fd", new QmpObject<QmpSocketAddress>("FdSocketAddress", create: null, s_fd)),
    ];

    public static readonly QmpObject<QmpSocketAddress> SocketAddress = new QmpObject<QmpSocketAddress>(
        "SocketAddress", ReadSocketAddress, s_socketType)
        .Union(s_socketType, static address => s_socketKind.NameOf(address.Kind), s_socketBranches);

    public static readonly QmpObject<QmpMigrationInfo> Info = new("MigrationInfo", create: null,
        OptionalValue("status", Status, (QmpMigrationInfo info) => info.Status),
        OptionalReference("ram", s_ram, (QmpMigrationInfo info) => info.Ram),
        OptionalValue("total-time", QmpTypes.Int, (QmpMigrationInfo info) => info.TotalTimeMilliseconds, "milliseconds"),
        OptionalValue("expected-downtime", QmpTypes.Int, (QmpMigrationInfo info) => info.ExpectedDowntimeMilliseconds),
        OptionalValue("downtime", QmpTypes.Int, (QmpMigrationInfo info) => info.DowntimeMilliseconds),
        OptionalValue("setup-time", QmpTypes.Int, (QmpMigrationInfo info) => info.SetupTimeMilliseconds),
        OptionalValue("cpu-throttle-percentage", QmpTypes.Int, (QmpMigrationInfo info) => info.CpuThrottlePercentage),
        OptionalReference("error-desc", QmpTypes.Str, (QmpMigrationInfo info) => info.ErrorDescription),
        OptionalReference("blocked-reasons", QmpTypes.ListOf(QmpTypes.Str), (QmpMigrationInfo info) => info.BlockedReasons),
        OptionalValue("postcopy-blocktime", QmpTypes.UInt32, (QmpMigrationInfo info) => info.PostcopyBlocktimeMilliseconds),
        OptionalReference("postcopy-vcpu-blocktime", QmpTypes.ListOf(QmpTypes.UInt32),
            (QmpMigrationInfo info) => info.PostcopyVcpuBlocktimeMilliseconds),
        OptionalReference("socket-address", QmpTypes.ListOf(SocketAddress), (QmpMigrationInfo info) => info.SocketAddress));

    private static readonly QmpEnum<MigrationTransport> s_transport =
        new("MigrationAddressType", "socket", "exec", "rdma", "file");

    private static readonly QmpMember<MigrationTransport> s_transportType = Argument("transport", s_transport);

    private static readonly QmpMember<IReadOnlyList<string>> s_execArguments = Argument("args", QmpTypes.ListOf(QmpTypes.Str));

    private static readonly QmpMember<string> s_fileName = Argument("filename", QmpTypes.Str);

    private static readonly QmpMember<ulong> s_fileOffset = Argument("offset", QmpTypes.Size);

    private static readonly QmpMember<MigrationAddress> s_address = Argument("addr", new QmpArgumentObject<MigrationAddress>(
        new QmpShape("MigrationAddress", [s_transportType], s_transportType,
        [
            new QmpBranch("socket", SocketAddress),
            new QmpBranch("exec", new QmpShape("MigrationExecCommand", [s_execArguments])),
            new QmpBranch("rdma", new QmpShape("InetSocketAddress", [s_host, s_port])),
            new QmpBranch("file", new QmpShape("FileMigrationArgs", [s_fileName, s_fileOffset])),
        ]), ReadAddress));

    private static readonly QmpMember<MigrationChannelKind> s_channelType = Argument("channel-type",
        new QmpEnum<MigrationChannelKind>("MigrationChannelType", "main", "cpr"));

    public static readonly QmpType<MigrationChannel> Channel = new QmpArgumentObject<MigrationChannel>(
        new QmpShape("MigrationChannel", [s_channelType, s_address]),
        static values => new MigrationChannel(values.Get(s_channelType), values.Get(s_address)));

    private static readonly QmpEnum<QmpYankKind> s_yankKind = new("YankInstanceType", "block-node", "chardev", "migration");

    private static readonly QmpField<QmpYankInstance, QmpYankKind> s_yankType =
        Field("type", s_yankKind, (QmpYankInstance instance) => instance.Kind);

    private static readonly QmpField<QmpYankInstance, string> s_nodeName =
        Field("node-name", QmpTypes.Str, (QmpYankInstance instance) => instance.Id!);

    private static readonly QmpField<QmpYankInstance, string> s_chardevId =
        Field("id", QmpTypes.Str, (QmpYankInstance instance) => instance.Id!);

    public static readonly QmpObject<QmpYankInstance> YankInstance = new QmpObject<QmpYankInstance>("YankInstance",
        static values => new QmpYankInstance(values.Get(s_yankType),
            values.FindReference(s_nodeName) ?? values.FindReference(s_chardevId)), s_yankType)
        .Union(s_yankType, static instance => s_yankKind.NameOf(instance.Kind),
            ("block-node", new QmpObject<QmpYankInstance>("YankInstanceBlockNode", create: null, s_nodeName)),
            ("chardev", new QmpObject<QmpYankInstance>("YankInstanceChardev", create: null, s_chardevId)));

    private static QmpSocketAddress ReadSocketAddress(QmpValues values) => new(values.Get(s_socketType))
    {
        Host = values.FindReference(s_host),
        Port = values.FindReference(s_port),
        Path = values.FindReference(s_path),
        Identifier = values.FindReference(s_cid) ?? values.FindReference(s_fd),
    };

    private static MigrationAddress ReadAddress(QmpValues values) => values.Get(s_transportType) switch
    {
        MigrationTransport.Exec => new MigrationAddress("exec:", values.Get(s_execArguments)),
        MigrationTransport.File => new MigrationAddress(
            $"file:{values.Get(s_fileName)},offset={values.Get(s_fileOffset)}", ExecArguments: null),
        MigrationTransport.Rdma => new MigrationAddress($"rdma:{values.Get(s_host)}:{values.Get(s_port)}", ExecArguments: null),
        _ => new MigrationAddress(ToUri(ReadSocketAddress(values)), ExecArguments: null),
    };

    private static string ToUri(QmpSocketAddress address) => address.Kind switch
    {
        QmpSocketKind.Inet when address.Host!.Contains(':') => $"tcp:[{address.Host}]:{address.Port}",
        QmpSocketKind.Inet => $"tcp:{address.Host}:{address.Port}",
        QmpSocketKind.Unix => $"unix:{address.Path}",
        QmpSocketKind.Vsock => $"vsock:{address.Identifier}:{address.Port}",
        _ => $"fd:{address.Identifier}",
    };
}
