using Kvm.Colo.Migration.Colo;
using Xunit;

namespace Kvm.Colo.Migration.Tests.Colo;

public sealed class EpochPaceTests
{
    private readonly MigrationSettings _settings = new() { CommitLimit = TimeSpan.FromSeconds(1), CpuThrottle = (20, 10, 45) };
    private readonly EpochPace _pace;

    public EpochPaceTests() => _pace = new EpochPace(_settings);

    [Fact]
    public void EpochsInTime_TakeNothingFromTheGuest()
    {
        Assert.False(Commit(0.1));
        Assert.False(Commit(1));
        Assert.Equal(0, _pace.Percent);
    }

    [Fact]
    public void LateEpochs_TakeMoreAndMoreUpToTheBound()
    {
        int[] shares = [.. Enumerable.Range(0, 5).Select(_ =>
        {
            Commit(1.5);
            return _pace.Percent;
        })];
        Assert.Equal([20, 30, 40, 45, 45], shares);
        Assert.False(Commit(1.5));
    }

    [Fact]
    public void RoomAgain_GivesBackStepByStep_AndNothingNearTheLimit()
    {
        Commit(2);
        Commit(2);
        Assert.False(Commit(0.8));
        Assert.Equal(30, _pace.Percent);

        Assert.True(Commit(0.2));
        Assert.Equal(20, _pace.Percent);
        Assert.True(Commit(0.2));
        Assert.Equal(0, _pace.Percent);
    }

    [Fact]
    public void NoLimit_EndsIt()
    {
        Commit(2);
        _settings.CommitLimit = TimeSpan.Zero;

        Assert.True(Commit(100));

        Assert.Equal(0, _pace.Percent);
    }

    private bool Commit(double seconds) => _pace.OnCommitted(TimeSpan.FromSeconds(seconds));
}
