using Kvm.Colo.Qmp.Commands;
using Kvm.Colo.Qmp.Hosting;
using Kvm.Colo.Qmp.Schema;

namespace Kvm.Colo.Qmp.Tests;

/// <summary>A transcript of each command: what is sent, what is answered, in QEMU's words where QEMU has them.</summary>
public sealed class CommandTests : IDisposable
{
    private const string Unsupported = """{"error":{"class":"GenericError","desc":"this feature or command is not currently supported"}}""";

    private const string BlockStatsRest =
        "\"failed_unmap_operations\":0,\"invalid_rd_operations\":0,\"invalid_wr_operations\":0,\"invalid_flush_operations\":0,"
        + "\"invalid_unmap_operations\":0,\"unmap_bytes\":0,\"unmap_operations\":0,\"unmap_total_time_ns\":0,"
        + "\"zone_append_bytes\":0,\"zone_append_operations\":0,\"zone_append_total_time_ns\":0,\"zone_append_merged\":0,"
        + "\"failed_zone_append_operations\":0,\"invalid_zone_append_operations\":0,\"rd_merged\":0,"
        + "\"wr_merged\":0,\"unmap_merged\":0,\"account_invalid\":false,\"account_failed\":false,\"timed_stats\":[]}";

    private readonly ServerFixture _fixture = new();

    public static TheoryData<string, string, string> Transcripts { get; } = new()
    {
        { "query-version", "", """{"return":{"qemu":{"major":10,"minor":2,"micro":0},"package":"colo-vm"}}""" },
        { "query-status", "", """{"return":{"running":true,"status":"running"}}""" },
        { "query-kvm", "", """{"return":{"enabled":true,"present":true}}""" },
        { "query-target", "", """{"return":{"arch":"x86_64"}}""" },
        { "query-current-machine", "", """{"return":{"wakeup-suspend-support":false}}""" },
        { "query-memory-size-summary", "", """{"return":{"base-memory":67108864,"plugged-memory":0}}""" },
        { "watchdog-set-action", """{"action":"inject-nmi"}""", """{"return":{}}""" },
        { "watchdog-set-action", """{"action":"x"}""", Error("Parameter 'action' does not accept value 'x'") },
        { "query-name", "", """{"return":{"name":"test"}}""" },
        { "query-uuid", "", """{"return":{"UUID":"00000000-0000-0000-0000-000000000000"}}""" },
        { "query-chardev", "", """{"return":[{"label":"serial0","filename":"null","frontend-open":true}]}""" },
        {
            "query-block", "",
            """{"return":[{"device":"disk0","type":"unknown","removable":false,"locked":false,"inserted":{"node-name":"node0","""
            + "\"file\":\"disk.raw\",\"active\":true,\"ro\":false,\"drv\":\"raw\",\"backing_file_depth\":0,\"encrypted\":false,\"detect_zeroes\":\"off\","
            + "\"bps\":0,\"bps_rd\":0,\"bps_wr\":0,\"iops\":0,\"iops_rd\":0,\"iops_wr\":0,\"write_threshold\":0,"
            + "\"cache\":{\"writeback\":true,\"direct\":false,\"no-flush\":false},\"image\":{\"filename\":\"disk.raw\",\"format\":\"raw\",\"virtual-size\":512}},"
            + "\"io-status\":\"ok\"}]}"
        },
        {
            "query-blockstats", "",
            """{"return":[{"device":"disk0","node-name":"node0","stats":{"rd_bytes":0,"wr_bytes":0,"rd_operations":0,"wr_operations":0,"""
            + "\"flush_operations\":0,\"rd_total_time_ns\":0,\"wr_total_time_ns\":0,\"flush_total_time_ns\":0,\"wr_highest_offset\":0,"
            + "\"failed_rd_operations\":0,\"failed_wr_operations\":0,\"failed_flush_operations\":0,"
            + BlockStatsRest + "}]}"
        },
        {
            "query-blockstats", """{"query-nodes":true}""",
            """{"return":[{"node-name":"node0","stats":{"rd_bytes":0,"wr_bytes":0,"rd_operations":0,"wr_operations":0,"""
            + "\"flush_operations\":0,\"rd_total_time_ns\":0,\"wr_total_time_ns\":0,\"flush_total_time_ns\":0,\"wr_highest_offset\":0,"
            + "\"failed_rd_operations\":0,\"failed_wr_operations\":0,\"failed_flush_operations\":0,"
            + BlockStatsRest + "}]}"
        },
        { "set_link", """{"name":"net0","up":false}""", """{"return":{}}""" },
        { "set_link", """{"name":"net9","up":true}""", """{"error":{"class":"DeviceNotFound","desc":"Device 'net9' not found"}}""" },
        { "set_link", """{"name":"net0"}""", Error("Parameter 'up' is missing") },
        {
            "__org.colo-vm_query-devices", "",
            """{"return":[{"id":"disk0","type":"virtio-blk","status":79,"needs-reset":true,"guest-faults":3,"host-errors":1},"""
            + """{"id":"net0","type":"virtio-net","status":15,"needs-reset":false,"guest-faults":0,"host-errors":0,"net":{"ifname":"tap0","""
            + "\"mac\":\"52:54:00:00:00:01\",\"link-up\":false,\"rx-frames\":0,\"rx-bytes\":0,\"rx-dropped\":0,\"tx-frames\":7,\"tx-bytes\":0,"
            + "\"tx-dropped\":0,\"tx-held\":0,\"tx-waiting\":0,\"tx-never-left\":0}}]}"
        },
        { "query-balloon", "", """{"return":{"actual":1048576}}""" },
        { "balloon", """{"value":0}""", Error("Parameter 'target' expects a size") },
        { "query-vm-generation-id", "", """{"return":{"guid":"00112233-4455-6677-8899-aabbccddeeff"}}""" },
        { "query-iothreads", "", """{"return":[]}""" },
        { "query-migrate", "", """{"return":{}}""" },
        { "query-colo-status", "", """{"return":{"mode":"none","last-mode":"none","reason":"none"}}""" },
        {
            "query-colo-statistics", "",
            """{"return":{"mode":"none","failover":"none","committed-epoch":0,"current-epoch":0,"checkpoints":0,"aborted-checkpoints":0,"""
            + "\"causes\":[],\"dirty-pages\":0,\"last-dirty-pages\":0,\"identical-pages\":0,\"delta-pages\":0,\"zero-pages\":0,\"full-pages\":0,\"transferred\":0,\"last-transferred\":0,\"pauses-with-collection\":0,\"pause-allocated\":0,\"throttle\":0,\"recent\":[]}}"
        },
        { "query-xen-replication-status", "", """{"return":{"error":false}}""" },
        { "query-yank", "", """{"return":[{"type":"migration"}]}""" },
        { "stop", "", """{"return":{}}""" },
        { "cont", "", """{"return":{}}""" },
        { "quit", "", """{"return":{}}""" },
        { "system_reset", "", """{"return":{}}""" },
        { "system_powerdown", "", """{"return":{}}""" },
        { "system_wakeup", "", Error("Unable to wake up: guest is not in suspended state") },
        { "set-action", """{"panic":"none","reboot":"shutdown"}""", """{"return":{}}""" },
        { "set-action", """{"panic":"foo"}""", Error("Parameter 'panic' does not accept value 'foo'") },
        { "migrate", """{"uri":"tcp:a:1"}""", """{"return":{}}""" },
        { "migrate", """{"uri":"foo"}""", Error("unknown migration protocol: foo") },
        { "migrate", """{"uri":"tcp:a:1","resume":true}""", Error("Cannot resume if there is no paused migration") },
        { "migrate", "", Error("need either 'uri' or 'channels' argument") },
        {
            "migrate", """{"uri":"tcp:a:1","channels":[]}""",
            Error("'uri' and 'channels' arguments are mutually exclusive; exactly one of the two should be present in 'migrate' qmp command")
        },
        { "migrate", """{"channels":[]}""", Error("Channel list must have one channel, of type 'main'") },
        {
            "migrate", """{"channels":[{"channel-type":"main","addr":{"transport":"socket","type":"inet","host":"a"}}]}""",
            Error("Parameter 'channels[0].addr.port' is missing")
        },
        {
            "migrate", """{"channels":[{"channel-type":"main","addr":{"transport":"rdma","host":"a","port":"1"}}]}""",
            Error("unknown migration protocol: rdma:a:1")
        },
        { "migrate-incoming", """{"uri":"tcp:a:1"}""", Error("'-incoming' was not specified on the command line") },
        { "migrate_cancel", "", """{"return":{}}""" },
        { "migrate-continue", """{"state":"device"}""", Error("Migration not in expected state: none") },
        { "migrate-start-postcopy", "", Error("Enable postcopy with migrate_set_capability before the start of migration") },
        { "migrate-pause", "", Error("migrate-pause is currently only supported during postcopy-active state") },
        { "migrate-recover", """{"uri":"tcp:a:1"}""", Error("Migrate recover can only be run when postcopy is paused.") },
        { "announce-self", "{}", Error("Parameter 'initial' is missing") },
        { "announce-self", """{"initial":50,"max":550,"rounds":5,"step":50}""", """{"return":{}}""" },
        { "x-colo-lost-heartbeat", "", Error("VM is not in COLO mode") },
        { "__org.colo-vm_checkpoint", "", Error("VM is not in COLO mode") },
        {
            "xen-set-replication", """{"enable":true,"primary":true,"failover":true}""",
            Error("Parameter 'failover' is only for stopping replication")
        },
        { "xen-set-replication", """{"enable":true,"primary":true}""", """{"return":{}}""" },
        { "xen-colo-do-checkpoint", "", """{"return":{}}""" },
        { "yank", """{"instances":[]}""", """{"return":{}}""" },
        { "yank", """{"instances":[{"type":"chardev"}]}""", Error("Parameter 'instances[0].id' is missing") },
        {
            "yank", """{"instances":[{"type":"chardev","id":"s0","node-name":"q"}]}""",
            Error("Parameter 'instances[0].node-name' is unexpected")
        },
        { "yank", """{"instances":[{"type":"x","id":"s0"}]}""", Error("Parameter 'type' does not accept value 'x'") },
        {
            "yank", """{"instances":[{"type":"migration"},{"type":"chardev","id":"s0"}]}""",
            """{"error":{"class":"DeviceNotFound","desc":"Instance not found"}}"""
        },
        { "object-add", """{"qom-type":"secret"}""", Error("Parameter 'id' is missing") },
        { "object-add", """{"qom-type":"nosuch","id":"x"}""", Error("Parameter 'qom-type' does not accept value 'nosuch'") },
        { "object-add", """{"qom-type":"knob","id":"1 2"}""", Error("Parameter 'id' expects an identifier") },
        {
            "object-add", """{"qom-type":"knob","id":"knob"}""",
            Error("attempt to add duplicate property 'knob' to object (type 'container')")
        },
        { "object-add", """{"qom-type":"knob","id":"k1","turns":1}""", """{"return":{}}""" },
        { "object-del", """{"id":"knob"}""", """{"return":{}}""" },
        { "object-del", """{"id":"io0"}""", Error("object 'io0' not found") },
        { "device_del", """{"id":"nope"}""", """{"error":{"class":"DeviceNotFound","desc":"Device 'nope' not found"}}""" },
        {
            "qom-list", """{"path":"/"}""",
            """{"return":[{"name":"type","type":"string"},{"name":"machine","type":"child<colo-vm-machine>"},"""
            + "{\"name\":\"objects\",\"type\":\"child<container>\"}]}"
        },
        {
            "qom-list", """{"path":"/objects/knob"}""",
            """{"return":[{"name":"type","type":"string"},{"name":"turns","type":"int"}]}"""
        },
        { "qom-list", """{"path":"/nope"}""", """{"error":{"class":"DeviceNotFound","desc":"Device '/nope' not found"}}""" },
        { "qom-get", """{"path":"/objects/knob","property":"turns"}""", """{"return":3}""" },
        { "qom-get", """{"path":"knob","property":"type"}""", """{"return":"knob"}""" },
        { "qom-get", """{"path":"/machine","property":"cpu[0]"}""", """{"return":"/machine/cpu[0]"}""" },
        { "qom-get", """{"path":"/objects/knob","property":"nope"}""", Error("Property 'knob.nope' not found") },
        { "qom-set", """{"path":"/objects/knob","property":"turns","value":9}""", """{"return":{}}""" },
        {
            "qom-set", """{"path":"/objects/knob","property":"turns","value":"x"}""",
            Error("Invalid parameter type for 'turns', expected: integer")
        },
        { "qom-set", """{"path":"/objects/knob","property":"turns"}""", Error("Parameter 'value' is missing") },
        { "human-monitor-command", """{"command-line":"info status"}""", """{"return":"VM status: running\r\n"}""" },
        { "human-monitor-command", """{"command-line":"info migrate"}""", """{"return":""}""" },
        { "human-monitor-command", """{"command-line":"info registers"}""", """{"return":"\r\nCPU#0\r\nRIP=0000000000000000\r\n"}""" },
        { "human-monitor-command", """{"command-line":"info colo"}""", """{"return":"mode: none\r\nlast mode: none\r\nreason: none\r\n"}""" },
        { "human-monitor-command", """{"command-line":"info foo"}""", """{"return":"unknown command: 'info foo'\r\n"}""" },
        { "human-monitor-command", """{"command-line":"foo"}""", """{"return":"unknown command: 'foo'\r\n"}""" },
        { "human-monitor-command", """{"command-line":"info status","cpu-index":5}""", Error("Parameter 'cpu-index' expects a CPU number") },
        { "nbd-server-stop", "", Unsupported },
        { "device_add", """{"driver":"virtio-net","netdev":"n0"}""", Unsupported },
        { "device_add", "{}", Error("Parameter 'driver' is missing") },
    };

    /// <summary>Commands whose transcript is in another class, or whose answer depends on the process.</summary>
    private static readonly HashSet<string> s_elsewhere = new(StringComparer.Ordinal)
    {
        "qmp_capabilities", "query-commands", "query-qmp-schema", "query-cpus-fast", "migrate-set-capabilities",
        "query-migrate-capabilities", "migrate-set-parameters", "query-migrate-parameters",
    };

    public void Dispose() => _fixture.Dispose();

    [Theory]
    [MemberData(nameof(Transcripts))]
    public void Command_AnswersAsInTheTranscript(string command, string arguments, string reply)
    {
        using RawClient client = _fixture.Negotiated();
        client.Send(arguments.Length == 0 ? $$"""{"execute":"{{command}}"}""" : $$"""{"execute":"{{command}}","arguments":{{arguments}}}""");
        string line = client.ReadLine();
        while (line.Contains("\"event\"", StringComparison.Ordinal))
            line = client.ReadLine();
        Assert.Equal(reply, line);
    }

    [Fact]
    public void QueryCpusFast_TellsThreadAndPlace()
    {
        using RawClient client = _fixture.Negotiated();
        Assert.Equal(
            $$$"""{"return":[{"cpu-index":0,"qom-type":"colo-vm-cpu","qom-path":"/machine/cpu[0]","thread-id":{{{Environment.ProcessId}}},"props":{"socket-id":0,"core-id":0,"thread-id":0},"target":"x86_64"}]}""",
            client.Ask("""{"execute":"query-cpus-fast"}"""));
    }

    [Fact]
    public void EveryCommandOfQemuThatWeLack_IsKnownAndRefused()
    {
        using RawClient client = _fixture.Negotiated();
        foreach (QmpCommand command in QmpSchemas.Product.Commands.Where(each => (each.Features & QmpFeatures.Unsupported) != 0))
        {
            string arguments = string.Join(',', command.Arguments.Where(each => !each.IsOptional)
                .Select(each => $"\"{each.Name}\":{(each.Type.Identity == "int" ? "1" : "\"x\"")}"));
            Assert.Equal(Unsupported, client.Ask($$$"""{"execute":"{{{command.Name}}}","arguments":{{{{arguments}}}}}"""));
        }
    }

    [Fact]
    public void EveryCommand_HasATranscript()
    {
        HashSet<string> covered = [.. Transcripts.Select(row => (string)row[0]), .. s_elsewhere];
        Assert.Empty(QmpSchemas.Product.Commands
            .Where(command => (command.Features & QmpFeatures.Unsupported) == 0 && !covered.Contains(command.Name))
            .Select(command => command.Name));
    }

    [Theory]
    [InlineData("""{"transport":"socket","type":"inet","host":"::1","port":"4444"}""", "migrate tcp:[::1]:4444 ")]
    [InlineData("""{"transport":"socket","type":"unix","path":"/run/x"}""", "migrate unix:/run/x ")]
    [InlineData("""{"transport":"socket","type":"fd","str":"7"}""", "migrate fd:7 ")]
    [InlineData("""{"transport":"file","filename":"/tmp/x","offset":4096}""", "migrate file:/tmp/x,offset=4096 ")]
    [InlineData("""{"transport":"exec","args":["cat","x"]}""", "migrate exec: cat x")]
    public void MigrateChannel_BecomesAUri(string address, string call)
    {
        using RawClient client = _fixture.Negotiated();
        Assert.Equal("""{"return":{}}""", client.Ask(
            $$$"""{"execute":"migrate","arguments":{"channels":[{"channel-type":"main","addr":{{{address}}}}]}}"""));
        Assert.Equal(call, Assert.Single(_fixture.Host.Calls));
    }

    [Fact]
    public void Balloon_IsAskedFor_AndItsChangeIsAnEvent()
    {
        using RawClient client = _fixture.Negotiated();

        client.Send("""{"execute":"balloon","arguments":{"value":65536}}""");

        Assert.Contains("\"event\":\"BALLOON_CHANGE\",\"data\":{\"actual\":65536}", client.ReadLine(), StringComparison.Ordinal);
        Assert.Equal("""{"return":{}}""", client.ReadLine());
        Assert.Equal("balloon 65536", Assert.Single(_fixture.Host.Calls));
    }

    [Fact]
    public void WhatIsNotThere_IsRefusedInQemusWords()
    {
        const string NoBalloon = """{"error":{"class":"DeviceNotActive","desc":"No balloon device has been activated"}}""";
        _fixture.Host.Balloon = null;
        _fixture.Host.GenerationId = null;
        using RawClient client = _fixture.Negotiated();
        Assert.Equal(NoBalloon, client.Ask("""{"execute":"query-balloon"}"""));
        Assert.Equal(NoBalloon, client.Ask("""{"execute":"balloon","arguments":{"value":0}}"""));
        Assert.Equal(Error("VM Generation ID device not found"), client.Ask("""{"execute":"query-vm-generation-id"}"""));
    }

    [Fact]
    public void Migrate_IsRefusedWhileOneIsInProgress()
    {
        _fixture.Host.InProgress = true;
        using RawClient client = _fixture.Negotiated();
        Assert.Equal(Error("There's a migration process in progress"), client.Ask("""{"execute":"migrate","arguments":{"uri":"tcp:a:1"}}"""));
    }

    [Fact]
    public void QueryMigrate_TellsWhatIsKnown()
    {
        _fixture.Host.Info = new QmpMigrationInfo
        {
            Status = QmpMigrationStatus.Failed,
            ErrorDescription = "Connection refused",
            Ram = new QmpRamStatistics { TransferredBytes = 4096, MegabitsPerSecond = 1.5 },
            SocketAddress = [new QmpSocketAddress(QmpSocketKind.Inet) { Host = "127.0.0.1", Port = "4444" }],
        };
        using RawClient client = _fixture.Negotiated();
        string line = client.Ask("""{"execute":"query-migrate"}""");
        Assert.StartsWith("""{"return":{"status":"failed","ram":{"transferred":4096,"remaining":0,""", line, StringComparison.Ordinal);
        Assert.EndsWith("""
            "error-desc":"Connection refused","socket-address":[{"type":"inet","host":"127.0.0.1","port":"4444"}]}}
            """, line, StringComparison.Ordinal);
        Assert.Equal("""{"return":"Migration status: failed (Connection refused)\r\ntransferred ram: 4 kbytes\r\nthroughput: 1.50 mbps\r\n"""
            + """remaining ram: 0 kbytes\r\ntotal ram: 0 kbytes\r\nduplicate: 0 pages\r\nnormal: 0 pages\r\ndirty sync count: 0\r\n"""
            + """dirty pages rate: 0 pages\r\n"}""",
            client.Ask("""{"execute":"human-monitor-command","arguments":{"command-line":"info migrate"}}"""));
    }

    [Fact]
    public void QueryColoStatistics_TellsTheDistributions()
    {
        _fixture.Host.Statistics = new QmpColoStatistics
        {
            Mode = QmpColoMode.Primary,
            CommittedEpoch = 12,
            Causes = [new QmpCheckpointCauseCount(QmpCheckpointCause.Timer, 12)],
            Pause = new QmpTimeHistogram(12, 2400, 100, 300, 200, 300, [new QmpTimeBucket(256, 10), new QmpTimeBucket(512, 2)]),
            SkewNanoseconds = -5,
            ThrottlePercent = 30,
            Recent = [new QmpEpoch { Epoch = 12, Cause = QmpCheckpointCause.Network, DirtyPages = 4, FullPages = 4, Bytes = 17000, PauseMicroseconds = 90, CommitMicroseconds = 200, ApplyMicroseconds = 50, SkewMicroseconds = -250 }, new QmpEpoch { Epoch = 13 }],
        };
        using RawClient client = _fixture.Negotiated();
        string line = client.Ask("""{"execute":"query-colo-statistics"}""");
        Assert.Contains("""
            "causes":[{"cause":"timer","count":12}]
            """, line, StringComparison.Ordinal);
        Assert.EndsWith("""
            "pause":{"count":12,"sum-ns":2400,"min-ns":100,"max-ns":300,"p50-ns":200,"p99-ns":300,"buckets":[{"up-to-ns":256,"count":10},{"up-to-ns":512,"count":2}]},"pauses-with-collection":0,"pause-allocated":0,"skew-ns":-5,"throttle":30,"recent":[{"epoch":12,"cause":"network","dirty-pages":4,"identical-pages":0,"delta-pages":0,"zero-pages":0,"full-pages":4,"transferred":17000,"pause-us":90,"commit-us":200,"apply-us":50,"skew-us":-250},{"epoch":13,"dirty-pages":0,"identical-pages":0,"delta-pages":0,"zero-pages":0,"full-pages":0,"transferred":0,"pause-us":0,"apply-us":0}]}}
            """, line, StringComparison.Ordinal);
    }

    private static string Error(string text) => $$$"""{"error":{"class":"GenericError","desc":"{{{text}}}"}}""";
}
