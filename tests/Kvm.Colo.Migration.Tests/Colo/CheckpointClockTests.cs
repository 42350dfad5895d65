using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Migration.Tests.Support;
using Xunit;

namespace Kvm.Colo.Migration.Tests.Colo;

public class CheckpointClockTests
{
    private static readonly TimeSpan s_delay = TimeSpan.FromMilliseconds(10);

    private readonly ManualTime _time = new();
    private readonly CheckpointClock _clock;

    public CheckpointClockTests() => _clock = new CheckpointClock(_time);

    [Fact]
    public void LateWakeUps_DoNotAddUp()
    {
        for (int beat = 0; beat < 100; beat++)
        {
            _time.Pass(_clock.Left(s_delay) + TimeSpan.FromMilliseconds(beat % 9));
            _clock.OnBegin(s_delay);
            _time.Pass(TimeSpan.FromMilliseconds(1)); // the transaction
        }

        _time.Pass(_clock.Left(s_delay));
        Assert.Equal(101 * s_delay, _time.GetElapsedTime(0));
    }

    [Fact]
    public void NothingIsCaughtUpOn()
    {
        _time.Pass(5 * s_delay);
        _clock.OnBegin(s_delay);
        Assert.Equal(s_delay, _clock.Left(s_delay));
    }

    [Fact]
    public void OneThatWasAskedFor_PutsTheNextOff()
    {
        _time.Pass(s_delay / 2);
        _clock.OnBegin(s_delay);
        Assert.Equal(s_delay, _clock.Left(s_delay));
    }

    [Fact]
    public void ShorterDelay_CountsAtOnce()
    {
        _time.Pass(s_delay / 2);
        Assert.Equal(TimeSpan.Zero, _clock.Left(s_delay / 2));
        Assert.True(_clock.Left(s_delay / 10) < TimeSpan.Zero);
    }
}
