using Kvm.Colo.Migration.Links;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.Migration.Tests.Links;

public sealed class LinkListenerTests : IDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("colo-listen-").FullName;

    private MigrationUri Uri => new(MigrationTransport.Unix, Path.Combine(_folder, "link"), 0);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("unix")]
    [InlineData("tcp")]
    public void Accept_JoinsTheTwo(string transport)
    {
        MigrationUri uri = transport == "unix" ? Uri : new MigrationUri(MigrationTransport.Tcp, "127.0.0.1", 0);
        using LinkListener listener = new(uri);
        using ILink here = LinkFactory.Connect(listener.BoundUri, s_deadline);
        using ILink there = listener.Accept();
        here.Send([1, 2, 3]);
        byte[] got = new byte[3];
        new LinkReader(there).ReadExactly(got);
        Assert.Equal([1, 2, 3], got);
    }

    [Fact]
    public void Socket_IsForItsOwnerOnly_AndGoesWithTheListener()
    {
        using (LinkListener listener = new(Uri))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Uri.Target));
        Assert.False(File.Exists(Uri.Target));
    }

    [Fact]
    public void StaleSocket_IsReplaced()
    {
        LeaveStaleSocket();
        using LinkListener listener = new(Uri);
        using ILink here = LinkFactory.Connect(Uri, s_deadline);
        using ILink there = listener.Accept();
        Assert.NotNull(there);
    }

    [Fact]
    public void LiveSocket_IsLeftAlone()
    {
        using LinkListener first = new(Uri);
        LinkException problem = Assert.Throws<LinkException>(() => new LinkListener(Uri));
        Assert.Contains("another process listens there", problem.Message, StringComparison.Ordinal);
        using ILink here = LinkFactory.Connect(Uri, s_deadline);
    }

    [Fact]
    public void OrdinaryFile_IsLeftAlone()
    {
        File.WriteAllText(Uri.Target, "precious");
        LinkException problem = Assert.Throws<LinkException>(() => new LinkListener(Uri));
        Assert.DoesNotContain('\n', problem.Message);
        Assert.Equal("precious", File.ReadAllText(Uri.Target));
    }

    [Fact]
    public void Dispose_EndsAWaitingAccept()
    {
        LinkListener listener = new(Uri);
        TestThread waiting = TestThread.Start("accept", () => Assert.Throws<LinkException>(listener.Accept));
        listener.Dispose();
        waiting.Join(s_deadline);
    }

    [Fact]
    public void Connect_SaysWhere_WhenNobodyListens()
    {
        LinkException problem = Assert.Throws<LinkException>(() => LinkFactory.Connect(Uri, s_deadline));
        Assert.Contains($"unix:{Uri.Target}", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', problem.Message);
    }

    [Fact]
    public void File_CarriesAStream()
    {
        MigrationUri uri = new(MigrationTransport.File, Path.Combine(_folder, "stream"), 0);
        using (ILink output = LinkFactory.Connect(uri, s_deadline))
        {
            output.Send("bytes"u8);
            Assert.Throws<LinkException>(() => output.Receive(new byte[1], s_deadline));
        }

        using ILink input = LinkFactory.OpenIncoming(uri);
        byte[] got = new byte[5];
        new LinkReader(input).ReadExactly(got);
        Assert.Equal("bytes"u8, got);
        Assert.Throws<LinkException>(() => input.Send([1]));
    }

    [Fact]
    public void Exec_CarriesAStream()
    {
        string file = Path.Combine(_folder, "stream");
        using (ILink output = LinkFactory.Connect(new MigrationUri(MigrationTransport.Exec, $"cat > {file}", 0), s_deadline))
            output.Send("bytes"u8);
        using ILink input = LinkFactory.OpenIncoming(new MigrationUri(MigrationTransport.Exec, $"cat {file}", 0));
        byte[] got = new byte[5];
        new LinkReader(input).ReadExactly(got);
        Assert.Equal("bytes"u8, got);
    }

    // A bound socket that its owner has closed leaves its name behind; .NET would remove the name.
    private void LeaveStaleSocket()
    {
        const string Script = "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])";
        ToolResult result = Tool.Run("python3", ["-c", Script, Uri.Target]);
        if (result.ExitCode != 0)
            throw new InvalidOperationException(result.Error);
    }
}
