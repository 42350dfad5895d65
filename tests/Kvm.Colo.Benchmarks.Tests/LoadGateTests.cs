using Kvm.Colo.Benchmarks.Comparison;
using Xunit;

namespace Kvm.Colo.Benchmarks.Tests;

public sealed class LoadGateTests
{
    [Theory]
    [InlineData(0.03, false, true, false)]
    [InlineData(0.0301, false, false, true)]
    [InlineData(0.0301, true, true, true)]
    [InlineData(0, true, true, false)]
    public void MayBegin_DecidesAtTheLimit(double busy, bool force, bool mayBegin, bool speaks)
    {
        Assert.Equal(mayBegin, LoadGate.MayBegin(busy, force, 1.5, out string? message));
        Assert.Equal(speaks, message is not null);
    }

    [Fact]
    public void MayBegin_SaysHowBusyAndWhatToDo()
    {
        LoadGate.MayBegin(0.257, force: false, 2.25, out string? message);

        Assert.Equal(
            "this machine is busy: 25.7 % of the CPU time goes elsewhere (limit 3 %), load average 2.3. Try again when it is quiet, or see what comes with --force.",
            message);
    }

    [Fact]
    public void WaitForQuiet_TakesTheFirstQuietLook()
    {
        Clock clock = new();
        Queue<double> looks = new([0.5, 0.04, 0.02, 0.9]);

        Assert.Equal(0.02, LoadGate.WaitForQuiet(TimeSpan.FromSeconds(30), looks.Dequeue, clock, clock.Pass));
        Assert.Equal(TimeSpan.FromSeconds(2), clock.Passed);
    }

    [Fact]
    public void WaitForQuiet_GivesTheLastLook_WhenPatienceIsOut()
    {
        Clock clock = new();
        int looks = 0;

        Assert.Equal(0.5, LoadGate.WaitForQuiet(TimeSpan.FromSeconds(5), () => { looks++; return 0.5; }, clock, clock.Pass));
        Assert.Equal(6, looks);
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Passed { get; private set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Pass(TimeSpan duration) => Passed += duration;

        public override long GetTimestamp() => Passed.Ticks;
    }
}
