using Kvm.Colo.Cli.Options;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public class MemorySizeTests
{
    [Theory]
    [InlineData("256M", 256UL << 20)]
    [InlineData("256m", 256UL << 20)]
    [InlineData("64", 64UL << 20)]
    [InlineData("1G", 1UL << 30)]
    [InlineData("1T", 1UL << 40)]
    [InlineData("2048K", 2UL << 20)]
    [InlineData("4100K", 4100UL << 10)]
    public void TryParse_TakesASize(string text, ulong expected)
    {
        Assert.True(MemorySize.TryParse(text, out ulong bytes, out string problem), problem);
        Assert.Equal(expected, bytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("M")]
    [InlineData("0")]
    [InlineData("-1M")]
    [InlineData("+1M")]
    [InlineData(" 1M")]
    [InlineData("1 M")]
    [InlineData("1MM")]
    [InlineData("1MiB")]
    [InlineData("0x100M")]
    [InlineData("1.5G")]
    [InlineData("1K")]
    [InlineData("2T")]
    [InlineData("4097K")]
    [InlineData("18446744073709551615M")]
    [InlineData("99999999999999999999999G")]
    public void TryParse_RefusesAnythingElse(string text)
    {
        Assert.False(MemorySize.TryParse(text, out _, out string problem));
        Assert.NotEmpty(problem);
    }
}
