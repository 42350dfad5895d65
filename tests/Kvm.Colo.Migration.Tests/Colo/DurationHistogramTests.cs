using Kvm.Colo.Migration.Colo;
using Xunit;

namespace Kvm.Colo.Migration.Tests.Colo;

public class DurationHistogramTests
{
    [Fact]
    public void Percentile_IsZero_WhenNothingWasRecorded()
    {
        DurationHistogram histogram = new();
        Assert.Equal(TimeSpan.Zero, histogram.Percentile(0.5));
        Assert.Equal(0, histogram.Count);
        Assert.Equal(TimeSpan.Zero, histogram.Maximum);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(999_999)]
    [InlineData(3_600_000_000)]
    public void Percentile_IsAtMostAQuarterAboveTheValue(long microseconds)
    {
        DurationHistogram histogram = new();
        histogram.Record(TimeSpan.FromMicroseconds(microseconds));
        double found = histogram.Percentile(0.5).TotalMicroseconds;
        Assert.InRange(found, microseconds, Math.Max(4, (microseconds * 1.25) + 1));
        Assert.Equal(TimeSpan.FromMicroseconds(microseconds), histogram.Maximum);
    }

    [Fact]
    public void Percentile_FindsTheTail()
    {
        DurationHistogram histogram = new();
        for (int i = 0; i < 99; i++)
            histogram.Record(TimeSpan.FromMicroseconds(100));
        histogram.Record(TimeSpan.FromMilliseconds(50));
        Assert.Equal(100, histogram.Count);
        Assert.InRange(histogram.Percentile(0.5).TotalMicroseconds, 100, 126);
        Assert.InRange(histogram.Percentile(0.99).TotalMicroseconds, 100, 126);
        Assert.InRange(histogram.Percentile(0.999).TotalMilliseconds, 50, 63);
        Assert.Equal(TimeSpan.FromMilliseconds(50), histogram.Maximum);
    }

    [Fact]
    public void Record_TakesAnyLength()
    {
        DurationHistogram histogram = new();
        histogram.Record(TimeSpan.MaxValue);
        histogram.Record(TimeSpan.FromTicks(-1));
        Assert.Equal(2, histogram.Count);
    }
}
