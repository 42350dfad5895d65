using Kvm.Colo.Cli.Options;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public class PropertyListTests
{
    [Fact]
    public void Parse_SplitsNamesAndValues()
    {
        IReadOnlyDictionary<string, string> found =
            PropertyList.Parse("--disk", "file=/a=b,,c,readonly=on", null, "file", "readonly");

        Assert.Equal("/a=b,c", found["file"]);
        Assert.Equal("on", found["readonly"]);
    }

    [Fact]
    public void Parse_GivesTheFirstItemItsName() =>
        Assert.Equal("tap", PropertyList.Parse("--net", "tap,id=n0", "kind", "kind", "id")["kind"]);

    [Theory]
    [InlineData("")]
    [InlineData("file=/a,")]
    [InlineData("file=/a,file=/b")]
    [InlineData("fil=/a")]
    [InlineData("/a")]
    [InlineData("id=x,/a")]
    [InlineData("=x")]
    public void Parse_RefusesAnythingElse(string text) =>
        Assert.Throws<UsageException>(() => PropertyList.Parse("--disk", text, null, "file", "id"));
}
