using Kvm.Colo.Benchmarks.Comparison;
using Xunit;

namespace Kvm.Colo.Benchmarks.Tests;

public sealed class DistributionTests
{
    [Fact]
    public void At_TakesTheSmallestValueThatIsNotBelowTheShare()
    {
        Distribution hundred = new(Enumerable.Range(1, 100).Reverse().Select(static n => (double)n));

        Assert.Equal(50, hundred.P50);
        Assert.Equal(99, hundred.P99);
        Assert.Equal(100, hundred.Maximum);
        Assert.Equal(1, hundred.At(0));
        Assert.Equal(100, hundred.At(1));
    }

    [Theory]
    [InlineData(new double[] { 7 }, 7, 7)]
    [InlineData(new double[] { 3, 1 }, 1, 3)]
    [InlineData(new double[] { 3, 1, 2 }, 2, 3)]
    public void At_OfFewValues(double[] values, double p50, double p99)
    {
        Distribution distribution = new(values);

        Assert.Equal((p50, p99), (distribution.P50, distribution.P99));
    }

    [Fact]
    public void ANumberThatIsNone_DoesNotCount()
    {
        Distribution distribution = new([double.NaN, 4, double.NaN]);

        Assert.Equal(1, distribution.Count);
        Assert.Equal(4, distribution.P99);
    }

    [Fact]
    public void OfNothing_IsNoNumber()
    {
        Distribution none = new([]);

        Assert.True(double.IsNaN(none.P50) && double.IsNaN(none.Maximum));
    }
}
