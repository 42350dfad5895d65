using Kvm.Colo.Migration.Colo;
using Xunit;

namespace Kvm.Colo.Migration.Tests.Colo;

public sealed class EpochPaceTests
{
    private readonly MigrationSettings _settings = new() { CommitLimit = TimeSpan.FromSeconds(1), CpuThrottle = (20, 10, 45) };
    private readonly HandClock _clock = new();
    private readonly EpochPace _pace;

    public EpochPaceTests() => _pace = new EpochPace(_settings, _clock);

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
    public void SlowToApply_IsLate_ThoughCommittedInTime()
    {
        Assert.True(Epoch(commit: 0.1, apply: 1.2));
        Assert.Equal(20, _pace.Percent);
        Assert.Contains("an epoch took 1.2 s to go live there: the guest is slowed by 20 %", _pace.Message, StringComparison.Ordinal);
        Assert.True(Epoch(commit: 0.6, apply: 0.6));
        Assert.False(Epoch(commit: 0.4, apply: 0.4));
        Assert.Equal(30, _pace.Percent);
    }

    [Fact]
    public void NoLimit_EndsIt()
    {
        Commit(2);
        _settings.CommitLimit = TimeSpan.Zero;

        Assert.True(Commit(100));

        Assert.Equal(0, _pace.Percent);
    }

    [Fact]
    public void BeginAndEnd_AreSaid_TheStepsBetweenAreNot()
    {
        Commit(2);
        Assert.Contains("an epoch took 2.0 s to commit: the guest is slowed by 20 %", _pace.Message, StringComparison.Ordinal);
        Commit(2);
        Assert.Null(_pace.Message);
        Commit(0.1);
        Assert.Null(_pace.Message);
        Commit(0.1);
        Assert.Contains("keeps up again", _pace.Message, StringComparison.Ordinal);
        Commit(0.1);
        Assert.Null(_pace.Message);
    }

    [Fact]
    public void AtTheEdge_ItIsSaidOnceIn10Seconds()
    {
        List<string> said = [];
        for (int i = 0; i < 100; i++)
        {
            foreach (double seconds in (double[])[2, 0.1])
            {
                Commit(seconds);
                if (_pace.Message is { } message)
                    said.Add(message);
                _clock.Advance(TimeSpan.FromMilliseconds(100));
            }
        }

        // 20 s: a beginning and its end at 0 s and at 10 s.
        Assert.Equal(4, said.Count);
    }

    private bool Commit(double seconds) => Epoch(seconds, 0);

    private bool Epoch(double commit, double apply) => _pace.OnEpoch(TimeSpan.FromSeconds(commit), TimeSpan.FromSeconds(apply));

    private sealed class HandClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => _ticks += by.Ticks;

        public override long GetTimestamp() => _ticks;
    }
}
