using Kvm.Colo.Cli.Monitor;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public class CommandLineWordsTests
{
    [Theory]
    [InlineData("stop", "stop", null)]
    [InlineData("  stop  ", "stop", null)]
    [InlineData("migrate uri=tcp:a:1", "migrate", "{\"uri\":\"tcp:a:1\"}")]
    [InlineData("a n=5 t=true u=on v=off w=null", "a", "{\"n\":5,\"t\":true,\"u\":true,\"v\":false,\"w\":null}")]
    [InlineData("a s=\"two words\" e=", "a", "{\"s\":\"two words\",\"e\":\"\"}")]
    [InlineData("a 'uri=exec:cat x'", "a", "{\"uri\":\"exec:cat x\"}")]
    [InlineData("a l=[1,2]", "a", "{\"l\":[1,2]}")]
    [InlineData("a {\"x\": \"y z\"}", "a", "{\"x\": \"y z\"}")]
    public void Split_ReadsALine(string line, string name, string? arguments)
    {
        CommandLineWords.Split(CommandLineWords.SplitLine(line), out string? foundName, out string? foundArguments);

        Assert.Equal(name, foundName);
        Assert.Equal(arguments, foundArguments);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a =b")]
    [InlineData("a {\"x\": }")]
    [InlineData("a {} {}")]
    public void Split_RefusesOtherArguments(string line) =>
        Assert.Throws<UsageException>(() => CommandLineWords.Split(CommandLineWords.SplitLine(line), out _, out _));

    [Fact]
    public void Split_OfNothingHasNoName()
    {
        CommandLineWords.Split(CommandLineWords.SplitLine("   "), out string? name, out string? arguments);

        Assert.Null(name);
        Assert.Null(arguments);
    }
}
