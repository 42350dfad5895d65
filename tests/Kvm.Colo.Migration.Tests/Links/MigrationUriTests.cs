using Kvm.Colo.Migration.Links;
using Xunit;

namespace Kvm.Colo.Migration.Tests.Links;

public class MigrationUriTests
{
    [Theory]
    [InlineData("tcp:host:4444", "Tcp", "host", 4444)]
    [InlineData("tcp:10.0.0.1:0", "Tcp", "10.0.0.1", 0)]
    [InlineData("tcp:[::1]:65535", "Tcp", "::1", 65535)]
    [InlineData("tcp::4444", "Tcp", "0.0.0.0", 4444)]
    [InlineData("unix:/run/a b:c", "Unix", "/run/a b:c", 0)]
    [InlineData("file:/tmp/x", "File", "/tmp/x", 0)]
    [InlineData("exec:cat > /tmp/x", "Exec", "cat > /tmp/x", 0)]
    [InlineData("fd:17", "Descriptor", "17", 17)]
    public void TryParse_TakesQemusAddresses(string text, string transport, string target, int port)
    {
        Assert.True(MigrationUri.TryParse(text, out MigrationUri? uri, out string? problem));
        Assert.Null(problem);
        Assert.Equal((transport, target, port), (uri!.Transport.ToString(), uri.Target, uri.Port));
        Assert.True(MigrationUri.TryParse(uri.ToString(), out MigrationUri? again, out _));
        Assert.Equal(uri, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("tcp")]
    [InlineData("tcp:")]
    [InlineData("tcp:host")]
    [InlineData("tcp:host:")]
    [InlineData("tcp:host:65536")]
    [InlineData("tcp:host:-1")]
    [InlineData("tcp:host:+1")]
    [InlineData("tcp:host: 1")]
    [InlineData("tcp:host:1x")]
    [InlineData("unix:")]
    [InlineData("file:")]
    [InlineData("exec:")]
    [InlineData("fd:")]
    [InlineData("fd:-1")]
    [InlineData("fd:name")]
    [InlineData("rdma:host:1")]
    [InlineData("TCP:host:1")]
    [InlineData("/run/socket")]
    public void TryParse_SaysInOneLineWhatIsWrong(string text)
    {
        Assert.False(MigrationUri.TryParse(text, out MigrationUri? uri, out string? problem));
        Assert.Null(uri);
        Assert.DoesNotContain('\n', problem!);
        Assert.Contains($"'{text}'", problem, StringComparison.Ordinal);
    }
}
