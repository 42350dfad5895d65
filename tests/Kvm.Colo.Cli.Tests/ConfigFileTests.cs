using Kvm.Colo.Cli.Options;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public sealed class ConfigFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Read_TakesTheOptionsOfRun()
    {
        RunSettings read = Read("""
            {
                // what to boot
                "kernel": "/boot/k", "memory": "1G", "cpus": 2, "qmp": ["unix:/a", "unix:/b"], "paused": true,
                "checkpoint-delay": 100, "no-reboot": false, "trace-file": "/t", "heartbeat-timeout": 50,
            }
            """);

        Assert.Equal("/boot/k", read.Kernel);
        Assert.Equal(2, read.Cpus);
        Assert.Equal(["unix:/a", "unix:/b"], read.Qmp);
        Assert.True(read.Paused);
        Assert.False(read.NoReboot);
        Assert.Equal(100, read.CheckpointDelay);
        Assert.Equal("/t", read.TraceFile);
        Assert.Equal(50, read.HeartbeatTimeout);
    }

    [Theory]
    [InlineData("", "line 1")]
    [InlineData("{", "line 1")]
    [InlineData("null", "not a JSON object")]
    [InlineData("[1]", "not a JSON object")]
    [InlineData("{\"kernel\": 5}", "'kernel' has a value of the wrong type")]
    [InlineData("{\"cpus\": \"many\"}", "'cpus' has a value of the wrong type")]
    [InlineData("{\"krnel\": \"x\"}", "'krnel' is no option of run")]
    [InlineData("{\n\"kernel\": \"x\",\n!}", "line 3")]
    public void Read_SaysWhatIsWrong(string text, string expected)
    {
        UsageException refusal = Assert.Throws<UsageException>(() => Read(text));

        Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Kvm.Colo", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_RefusesAMissingFile() => Assert.Throws<UsageException>(() => ConfigFile.Read(_path + ".none"));

    private RunSettings Read(string text)
    {
        File.WriteAllText(_path, text);
        return ConfigFile.Read(_path);
    }
}
