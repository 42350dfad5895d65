namespace Kvm.Colo.Net.Tests;

public sealed class MacAddressTests
{
    [Theory]
    [InlineData("52:54:00:12:34:56", 0x525400123456ul)]
    [InlineData("0A:bc:DE:f0:01:02", 0x0ABCDEF00102ul)]
    public void TryParse_TakesSixPairs(string text, ulong expected)
    {
        Assert.True(MacAddress.TryParse(text, out MacAddress address));
        Assert.Equal(expected, address.Value);
        Assert.Equal(text, address.ToString(), ignoreCase: true);
    }

    [Theory]
    [InlineData("")]
    [InlineData("52:54:00:12:34")]
    [InlineData("52:54:00:12:34:5")]
    [InlineData("52:54:00:12:34:56:")]
    [InlineData("52-54-00-12-34-56")]
    [InlineData("52:54:00:12:34:g6")]
    [InlineData("+2:54:00:12:34:56")]
    [InlineData("01:00:5e:00:00:01")]
    [InlineData("00:00:00:00:00:00")]
    public void TryParse_RefusesTheRest(string text) => Assert.False(MacAddress.TryParse(text, out _));

    [Fact]
    public void Derive_IsStable_AndOfAStation()
    {
        Assert.Equal(MacAddress.Derive("net0"), MacAddress.Derive("net0"));
        Assert.NotEqual(MacAddress.Derive("net0"), MacAddress.Derive("net1"));
        Assert.False(MacAddress.Derive("net0").IsMulticast);
        Assert.StartsWith("52:54:", MacAddress.Derive("net0").ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_IsTheInverseOfRead()
    {
        byte[] bytes = [0x52, 0x54, 0, 1, 2, 3];
        byte[] copy = new byte[6];
        MacAddress.Read(bytes).Write(copy);
        Assert.Equal(bytes, copy);
    }
}
