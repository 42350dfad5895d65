using System.Text;
using Kvm.Colo.Cli.Terminal;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public class EscapeFilterTests
{
    [Theory]
    [InlineData("abc", "abc", false)]
    [InlineData("a\u0001\u0001b", "a\u0001b", false)]
    [InlineData("a\u0001xb", "ab", true)]
    [InlineData("\u0001X", "", true)]
    [InlineData("a\u0001qb", "ab", false)]
    [InlineData("\u0001", "", false)]
    [InlineData("x\u0003\u001a", "x\u0003\u001a", false)]
    public void Filter_TakesEscapesOut(string typed, string kept, bool quits)
    {
        EscapeFilter filter = new();
        byte[] data = Encoding.ASCII.GetBytes(typed);

        int length = filter.Filter(data);

        Assert.Equal(kept, Encoding.ASCII.GetString(data, 0, length));
        Assert.Equal(quits, filter.QuitRequested);
    }

    [Fact]
    public void Filter_RemembersAnEscapeBetweenReads()
    {
        EscapeFilter filter = new();

        Assert.Equal(0, filter.Filter([EscapeFilter.Escape]));
        Assert.False(filter.QuitRequested);
        Assert.Equal(0, filter.Filter("x"u8.ToArray()));
        Assert.True(filter.QuitRequested);
    }
}
