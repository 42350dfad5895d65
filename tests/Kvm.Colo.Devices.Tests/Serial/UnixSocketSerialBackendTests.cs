using System.Net.Sockets;
using System.Text;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Devices.Tests.Support;
using Mono.Unix.Native;

namespace Kvm.Colo.Devices.Tests.Serial;

public sealed class UnixSocketSerialBackendTests : IDisposable
{
    private readonly CountingLogger _logger = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("colo-serial").FullName;

    private string SocketPath => Path.Combine(_directory, "s");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Server_TalksBothWays_AndTakesTheNextClient()
    {
        CollectingInput receiver = new(100);
        using UnixSocketSerialBackend backend = Listen(receiver);
        Assert.Equal("600", Convert.ToString((int)FileMode(SocketPath) & 0x1FF, 8));
        for (int client = 1; client <= 3; client++)
        {
            using Socket socket = Dial();
            socket.Send("hi"u8);
            receiver.WaitFor(2 * client);
            Assert.Equal(2, backend.TryWrite("yo"u8));
            Assert.Equal("yo", ReceiveText(socket, 2));
        }

        Assert.Equal("hihihi", receiver.WaitFor(6));
    }

    [Fact]
    public void Server_DropsAndCounts_WhileNobodyIsThere()
    {
        using UnixSocketSerialBackend backend = Listen(new CollectingInput(100));
        Assert.Equal(5, backend.TryWrite("12345"u8));
        Assert.Equal(5, backend.DroppedBytes);
    }

    [Fact]
    public void Server_LetsAGoneClientGo_EvenWhenTheGuestReadsNothing()
    {
        CollectingInput receiver = new(0);
        using UnixSocketSerialBackend backend = Listen(receiver);
        using (Socket first = Dial())
            first.Send(new byte[5000]);
        using Socket second = Dial();
        second.Send("x"u8);
        receiver.Raise(100_000);
        string text = receiver.WaitFor(1);
        while (!text.Contains('x', StringComparison.Ordinal))
            text = receiver.WaitFor(text.Length + 1);
    }

    [Fact]
    public void Client_Connects_AndComesBackAfterALoss()
    {
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        listener.Listen(1);
        CollectingInput receiver = new(100);
        using UnixSocketSerialBackend backend = UnixSocketSerialBackend.Connect(SocketPath, _logger);
        backend.Start(receiver, static () => { });
        using (Socket first = Accept(listener))
        {
            Assert.Equal(3, backend.TryWrite("one"u8));
            Assert.Equal("one", ReceiveText(first, 3));
        }

        using Socket second = Accept(listener);
        second.Send("back"u8);
        Assert.Equal("back", receiver.WaitFor(4));
    }

    [Fact]
    public void Listen_ReplacesAStaleSocket_ButNothingElse()
    {
        Socket stale = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        string other = Path.Combine(_directory, "t");
        stale.Bind(new UnixDomainSocketEndPoint(other));
        File.Move(other, SocketPath);
        stale.Dispose();
        Listen(new CollectingInput(0)).Dispose();

        File.WriteAllText(SocketPath, "");
        Assert.Contains("no socket", Refusal(), StringComparison.Ordinal);
        File.Delete(SocketPath);
        using UnixSocketSerialBackend live = Listen(new CollectingInput(0));
        Assert.Contains("in use", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Connect_SaysWhy_WhenNobodyListens()
    {
        SerialBackendException e = Assert.Throws<SerialBackendException>(
            () => UnixSocketSerialBackend.Connect(SocketPath, _logger));
        Assert.Contains(SocketPath, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("stdio", (int)SerialBackendKind.Stdio, "")]
    [InlineData("null", (int)SerialBackendKind.Null, "")]
    [InlineData("file:/tmp/x", (int)SerialBackendKind.File, "/tmp/x")]
    [InlineData("unix:/tmp/x", (int)SerialBackendKind.UnixConnect, "/tmp/x")]
    [InlineData("unix:/tmp/x,server", (int)SerialBackendKind.UnixListen, "/tmp/x")]
    public void Spec_Parses(string text, int kind, string path)
    {
        Assert.True(SerialBackendSpec.TryParse(text, out SerialBackendSpec spec, out _));
        Assert.Equal(new SerialBackendSpec((SerialBackendKind)kind, path), spec);
    }

    [Theory]
    [InlineData("")]
    [InlineData("pty")]
    [InlineData("file:")]
    [InlineData("unix:")]
    [InlineData("unix:,server")]
    [InlineData("unix:/tmp/x,client")]
    [InlineData("unix:/tmp/x,")]
    public void Spec_RefusesOthers_WithOneLine(string text)
    {
        Assert.False(SerialBackendSpec.TryParse(text, out _, out string error));
        Assert.Contains("serial", error, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error);
    }

    [Fact]
    public void Spec_RefusesAPathThatNoSocketAddressHolds() =>
        Assert.False(SerialBackendSpec.TryParse("unix:/" + new string('a', 107), out _, out _));

    private static Socket Accept(Socket listener)
    {
        Assert.True(listener.Poll(CollectingInput.Deadline, SelectMode.SelectRead));
        return listener.Accept();
    }

    private static FilePermissions FileMode(string path)
    {
        Assert.Equal(0, Syscall.lstat(path, out Stat status));
        return status.st_mode;
    }

    private static string ReceiveText(Socket socket, int length)
    {
        byte[] buffer = new byte[length];
        socket.ReceiveTimeout = (int)CollectingInput.Deadline.TotalMilliseconds;
        for (int got = 0; got < length;)
        {
            int part = socket.Receive(buffer.AsSpan(got));
            Assert.NotEqual(0, part);
            got += part;
        }

        return Encoding.ASCII.GetString(buffer);
    }

    private UnixSocketSerialBackend Listen(CollectingInput receiver)
    {
        UnixSocketSerialBackend backend = UnixSocketSerialBackend.Listen(SocketPath, _logger);
        backend.Start(receiver, static () => { });
        return backend;
    }

    private string Refusal() =>
        Assert.Throws<SerialBackendException>(() => UnixSocketSerialBackend.Listen(SocketPath, _logger)).Message;

    private Socket Dial()
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(SocketPath));
        return socket;
    }
}
