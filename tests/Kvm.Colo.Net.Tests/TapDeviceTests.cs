using System.Net;
using System.Net.Sockets;
using Kvm.Colo.Native;
using Kvm.Colo.Native.Io;
using Kvm.Colo.TestKit;

namespace Kvm.Colo.Net.Tests;

public sealed class TapDeviceTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("a-name-of-16-byte")]
    [InlineData("with space")]
    [InlineData("with/slash")]
    [InlineData("ümlaut")]
    public void Open_RefusesANameThatIsNone(string name)
    {
        using EpollLoop loop = NewLoop();
        AssertRefused(name, loop, "interface name");
    }

    [TapFact]
    public void Open_SaysWhatIsWrong() => TapNamespace.Run(static () =>
    {
        using EpollLoop loop = NewLoop();
        AssertRefused("lo", loop, "not a single-queue tap");
        using TapDevice tap = TapDevice.Open("colotap0", loop);
        Assert.Equal("colotap0", tap.Name);
        AssertRefused("colotap0", loop, "in use");
        using TapDevice unnamed = TapDevice.Open(null, loop);
        Assert.StartsWith("tap", unnamed.Name, StringComparison.Ordinal);
    });

    // The host's IP stack is the other end: it broadcasts a datagram, the tap delivers the frame; and a frame written becomes a
    // datagram.
    [TapFact]
    public void Frames_GoBothWays() => TapNamespace.Run(static () =>
    {
        using EpollLoop loop = NewLoop();
        using TapDevice tap = TapDevice.Open("colotap0", loop);
        const NetOffloads all = NetOffloads.Checksum | NetOffloads.Tso4 | NetOffloads.Tso6 | NetOffloads.TsoEcn;
        Assert.Equal(Errno.None, tap.SetOffloads(all));
        Assert.Equal(Errno.None, tap.SetOffloads(NetOffloads.None));
        TapNamespace.Ip("addr", "add", "10.77.0.1/24", "broadcast", "10.77.0.255", "dev", "colotap0");
        TapNamespace.Ip("link", "set", "colotap0", "up");
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { EnableBroadcast = true };
        socket.Bind(new IPEndPoint(IPAddress.Any, 5555));
        socket.ReceiveTimeout = (int)s_deadline.TotalMilliseconds;

        using var arrived = new SemaphoreSlim(0);
        byte[] got = new byte[VnetHeader.MaxFrameBytes];
        tap.Start(() => Take(tap, got, arrived), static () => { });
        tap.SetReceiving(true);
        socket.SendTo("colo to guest"u8.ToArray(), new IPEndPoint(IPAddress.Parse("10.77.0.255"), 5555));
        Assert.True(arrived.Wait(s_deadline), "no frame from the tap");
        tap.SetReceiving(false);
        int at = got.AsSpan().IndexOf("colo to guest"u8);
        Assert.Equal(VnetHeader.SizeBytes + 14 + 20 + 8, at);

        // The same datagram back, from the guest's address to ours.
        byte[] frame = Datagram("guest to host"u8);
        Assert.Equal(Errno.None, tap.TrySend(frame));
        byte[] received = new byte[100];
        int length = socket.Receive(received);
        while (received.AsSpan(0, length).SequenceEqual("colo to guest"u8))
            length = socket.Receive(received);
        Assert.Equal("guest to host"u8.ToArray(), received.AsSpan(0, length).ToArray());
    });

    [TapFact]
    public void Loss_IsReportedOnce_AndNothingSpins() => TapNamespace.Run(static () =>
    {
        using EpollLoop loop = NewLoop();
        using TapDevice tap = TapDevice.Open("colotap0", loop);
        using var lost = new SemaphoreSlim(0);
        tap.Start(static () => { }, () => lost.Release());
        tap.SetReceiving(true);
        TapNamespace.Ip("link", "del", "colotap0");
        Assert.True(lost.Wait(s_deadline), "the loss was not reported");
        Assert.False(lost.Wait(TimeSpan.FromMilliseconds(20)));
        tap.SetReceiving(false);
        Assert.NotEqual(Errno.None, tap.TrySend(new byte[60]));
        Assert.Equal(Errno.ENODEV, tap.SetOffloads(NetOffloads.None));
    });

    private static EpollLoop NewLoop() =>
        new("io", static fault => throw new InvalidOperationException("a callback failed", fault), TimeProvider.System);

    private static void AssertRefused(string name, EpollLoop loop, string expected)
    {
        var refused = Assert.Throws<NetOpenException>(() => TapDevice.Open(name, loop));
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    // Other frames (router solicitations, neighbour discovery) come on their own.
    private static void Take(TapDevice tap, byte[] frame, SemaphoreSlim arrived)
    {
        while (tap.TryReceive(frame) is var length && length > 0)
        {
            if (frame.AsSpan(0, length).IndexOf("colo to guest"u8) < 0)
                continue;
            tap.SetReceiving(false);
            arrived.Release();
            return;
        }
    }

    private static byte[] Datagram(ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[VnetHeader.SizeBytes + 42 + payload.Length];
        Span<byte> ethernet = frame.AsSpan(VnetHeader.SizeBytes);
        MacAddress.Broadcast.Write(ethernet);
        new MacAddress(0x5254_0000_0001).Write(ethernet[6..]);
        ethernet[12] = 8;
        Span<byte> ip = ethernet[14..];
        byte[] header = [0x45, 0, 0, (byte)(28 + payload.Length), 0, 0, 0, 0, 64, 17, 0, 0, 10, 77, 0, 2, 10, 77, 0, 1];
        uint sum = 0;
        for (int i = 0; i < header.Length; i += 2)
            sum += (uint)((header[i] << 8) | header[i + 1]);
        ushort checksum = (ushort)~((sum & 0xFFFF) + (sum >> 16));
        header[10] = (byte)(checksum >> 8);
        header[11] = (byte)checksum;
        header.CopyTo(ip);
        byte[] udp = [0x15, 0xB3, 0x15, 0xB3, 0, (byte)(8 + payload.Length), 0, 0];
        udp.CopyTo(ip[20..]);
        payload.CopyTo(ip[28..]);
        return frame;
    }
}
