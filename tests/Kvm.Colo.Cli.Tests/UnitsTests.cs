using Kvm.Colo.Cli.Monitor;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public class UnitsTests
{
    [Fact]
    public void Duration_ChoosesTheUnit()
    {
        Assert.Equal("-", Units.Duration(null));
        Assert.Equal("320 us", Units.Duration(TimeSpan.FromMicroseconds(320)));
        Assert.Equal("6.1 ms", Units.Duration(TimeSpan.FromMilliseconds(6.144)));
        Assert.Equal("2.50 s", Units.Duration(TimeSpan.FromSeconds(2.5)));
    }

    [Fact]
    public void Bytes_ChoosesTheUnit()
    {
        Assert.Equal("17 B", Units.Bytes(17));
        Assert.Equal("1.5 KiB", Units.Bytes(1536));
        Assert.Equal("2.0 MiB", Units.Bytes(2 << 20));
        Assert.Equal("3.0 GiB", Units.Bytes(3L << 30));
    }
}
