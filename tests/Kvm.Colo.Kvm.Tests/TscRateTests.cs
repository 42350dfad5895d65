using Xunit;

namespace Kvm.Colo.Kvm.Tests;

public sealed class TscRateTests
{
    [Theory]
    [InlineData(2_596_120u, true, false)]
    [InlineData(2_596_769u, true, false)]
    [InlineData(2_596_770u, true, true)]
    [InlineData(2_595_470u, true, true)]
    [InlineData(2_595_470u, false, false)]
    [InlineData(0u, true, false)]
    public void Scales_OnlyBeyondTheKernelsTolerance(uint khz, bool canScale, bool scales) =>
        Assert.Equal(scales, new TscRate(2_596_120, canScale).Scales(khz));

    [Fact]
    public void UnknownRate_IsNoReasonToRefuse() => Assert.True(new TscRate(0, CanScale: false).CanShow(2_000_000));
}
