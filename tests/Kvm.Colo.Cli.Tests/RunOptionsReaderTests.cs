using Kvm.Colo.Cli.Options;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration.Links;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public class RunOptionsReaderTests
{
    private static readonly RunSettings s_least = new() { Kernel = "k" };

    public static TheoryData<string> Wrong =>
    [
        .. s_wrong.Keys,
    ];

    private static readonly Dictionary<string, RunSettings> s_wrong = new(StringComparer.Ordinal)
    {
        ["nothing to boot"] = new RunSettings(),
        ["initrd without kernel"] = new RunSettings { Secondary = "unix:/l", Initrd = "i" },
        ["append without kernel"] = new RunSettings { Incoming = "defer", Append = "a" },
        ["memory"] = s_least with { Memory = "x" },
        ["no cpus"] = s_least with { Cpus = 0 },
        ["negative cpus"] = s_least with { Cpus = -1 },
        ["too many cpus"] = s_least with { Cpus = MachineConfig.MaxCpus + 1 },
        ["empty name"] = s_least with { Name = "" },
        ["name of two lines"] = s_least with { Name = "a\nb" },
        ["long name"] = s_least with { Name = new string('x', 256) },
        ["uuid"] = s_least with { Uuid = "123" },
        ["uuid in braces"] = s_least with { Uuid = "{123e4567-e89b-12d3-a456-426614174000}" },
        ["serial"] = s_least with { Serial = "tty" },
        ["cpu"] = s_least with { Cpu = "486" },
        ["two on the terminal"] = s_least with { Serial = "stdio", Console = "stdio" },
        ["balloon"] = s_least with { Balloon = "on" },
        ["generation id"] = s_least with { VmGenId = "new" },
        ["monitor"] = s_least with { Qmp = ["unix:/a", "nothing"] },
        ["two roles"] = s_least with { Primary = "unix:/a", Secondary = "unix:/a" },
        ["primary and incoming"] = s_least with { Primary = "unix:/a", Incoming = "defer" },
        ["primary to a file"] = s_least with { Primary = "file:/a" },
        ["secondary from a command"] = s_least with { Secondary = "exec:cat" },
        ["primary uri"] = s_least with { Primary = "here" },
        ["incoming uri"] = s_least with { Incoming = "tcp:host" },
        ["incoming port"] = s_least with { Incoming = "tcp:host:65536" },
        ["delay"] = s_least with { CheckpointDelay = -1 },
        ["heartbeat"] = s_least with { HeartbeatTimeout = 0 },
        ["long heartbeat"] = s_least with { HeartbeatTimeout = RunOptionsReader.MaxHeartbeatTimeoutMs + 1 },
        ["log"] = s_least with { Log = "loud" },
        ["log by number"] = s_least with { Log = "1" },
        ["tracking"] = s_least with { DirtyTracking = "none" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Read_RefusesWithOneLine(string name)
    {
        UsageException refusal = Assert.Throws<UsageException>(() => RunOptionsReader.Read(s_wrong[name]));

        Assert.DoesNotContain('\n', refusal.Message);
    }

    [Fact]
    public void Read_GivesTheDefaults()
    {
        RunOptions options = RunOptionsReader.Read(s_least);

        Assert.Equal(256UL << 20, options.MemoryBytes);
        Assert.Equal(1, options.Cpus);
        Assert.Equal(SerialBackendKind.Stdio, options.Serial.Kind);
        Assert.Equal(MachineRole.Ordinary, options.Role);
        Assert.Equal(Verbosity.Info, options.Verbosity);
        Assert.Equal(DirtyTracking.Auto, options.DirtyTracking);
        Assert.Null(options.CheckpointDelayMs);
        Assert.False(options.IsIncoming);
    }

    [Fact]
    public void Read_TakesASecondaryWithItsKernel()
    {
        RunSettings given = s_least with { Secondary = "tcp:0.0.0.0:4444", Log = "QUIET", CheckpointDelay = 0 };

        RunOptions options = RunOptionsReader.Read(given);

        Assert.Equal(MachineRole.Secondary, options.Role);
        Assert.Equal(new MigrationUri(MigrationTransport.Tcp, "0.0.0.0", 4444), options.Peer);
        Assert.Equal(Verbosity.Quiet, options.Verbosity);
        Assert.Equal(0, options.CheckpointDelayMs);
        Assert.True(options.IsIncoming);
    }

    [Fact]
    public void Read_TakesAnIncomingGuestWithoutAKernel()
    {
        Assert.Null(RunOptionsReader.Read(new RunSettings { Incoming = "defer" }).Peer);
        Assert.Equal("/f", RunOptionsReader.Read(new RunSettings { Incoming = "file:/f" }).Peer!.Target);
    }
}
