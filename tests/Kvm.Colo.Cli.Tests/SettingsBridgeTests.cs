using Kvm.Colo.Cli.Hosting;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Migration;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public class SettingsBridgeTests
{
    private readonly SettingsBridge _bridge = new();

    [Fact]
    public void Defaults_AreTheStores()
    {
        Assert.Equal(20_000, _bridge.Runtime.CheckpointDelayMs);
        Assert.Equal(1000, _bridge.Runtime.HeartbeatTimeoutMs);
        Assert.Equal(128L << 20, _bridge.Runtime.MaxBandwidth);
        Assert.False(_bridge.Runtime.Colo);
    }

    [Fact]
    public void Changes_AreCarried()
    {
        _bridge.EnableColo();
        _bridge.Set(MigrationParameterTable.HeartbeatTimeout, 50u);
        _bridge.Set(MigrationParameterTable.VerifyCheckpoints, value: true);
        _bridge.Set(MigrationParameterTable.MaxBandwidth, ulong.MaxValue);
        _bridge.Set(MigrationParameterTable.DowntimeLimit, 1000UL);

        Assert.True(_bridge.Runtime.Colo);
        Assert.Equal(50, _bridge.Runtime.HeartbeatTimeoutMs);
        Assert.True(_bridge.Runtime.VerifyCheckpoints);
        Assert.Equal(long.MaxValue, _bridge.Runtime.MaxBandwidth);
        Assert.Equal(TimeSpan.FromSeconds(1), _bridge.Runtime.DowntimeLimit);
    }

    [Fact]
    public void CheckpointDelay_IsSetOnlyWhenItChanges()
    {
        int checkpoints = 0;
        _bridge.Runtime.CheckpointDelayChanged += () => checkpoints++;

        _bridge.Set(MigrationParameterTable.CheckpointDelay, 100u);
        _bridge.Set(MigrationParameterTable.HeartbeatTimeout, 50u);

        Assert.Equal(1, checkpoints);
        Assert.Equal(100, _bridge.Runtime.CheckpointDelayMs);
    }

    [Fact]
    public void CheckpointDelay_IsBounded()
    {
        _bridge.Set(MigrationParameterTable.CheckpointDelay, uint.MaxValue);

        Assert.Equal(int.MaxValue, _bridge.Runtime.CheckpointDelayMs);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(600_001u)]
    public void HeartbeatTimeout_RefusesWhatIsOutOfRange(uint value) =>
        Assert.Throws<QmpCommandException>(() => _bridge.Set(MigrationParameterTable.HeartbeatTimeout, value));
}
