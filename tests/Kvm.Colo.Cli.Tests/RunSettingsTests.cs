using Kvm.Colo.Cli.Options;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public class RunSettingsTests
{
    [Fact]
    public void Over_TakesEveryPropertyFromTheLowerSettings()
    {
        RunSettings lower = new()
        {
            Kernel = "k",
            Initrd = "i",
            Append = "a",
            Memory = "1G",
            Cpus = 2,
            Name = "n",
            Uuid = "u",
            Disk = ["d"],
            Net = ["t"],
            Cpu = "host",
            Serial = "s",
            Console = "c",
            Balloon = "b",
            VmGenId = "v",
            Qmp = ["q"],
            Primary = "p",
            CheckpointDelay = 1,
            Paused = true,
            NoShutdown = true,
            NoReboot = true,
            Log = "l",
            Trace = ["x"],
            TraceFile = "f",
            VerifyCheckpoints = true,
            HeartbeatTimeout = 3,
            DirtyTracking = "ring",
        };

        Assert.Equal(lower, new RunSettings().Over(lower));
    }

    [Fact]
    public void Over_ReplacesTheRoleAsOneOption()
    {
        RunSettings given = new() { Secondary = "s", Memory = "1G" };

        RunSettings merged = given.Over(new RunSettings { Primary = "p", Memory = "2G" });

        Assert.Null(merged.Primary);
        Assert.Equal("s", merged.Secondary);
        Assert.Equal("1G", merged.Memory);
    }
}
