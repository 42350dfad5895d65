using System.Net.Sockets;
using System.Text;
using Kvm.Colo.Benchmarks.Comparison;
using Xunit;

namespace Kvm.Colo.Benchmarks.Tests;

public sealed class SerialTapTests : IDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    private readonly SerialTap _tap = new(Path.Combine(Path.GetTempPath(), $"tap-{Guid.NewGuid():N}"));

    public void Dispose()
    {
        _tap.Dispose();
        File.Delete(_tap.Path);
    }

    [Fact]
    public void Lines_AreWholeLinesOfTheInterval_WhereverTheBytesWereCut()
    {
        using Socket guest = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        Assert.Null(_tap.FirstByteUs());

        guest.Connect(new UnixDomainSocketEndPoint(_tap.Path));
        double before = HostClock.NowUs;
        foreach (string piece in (string[])["fir", "st\r\nsecond\nthi", "rd\nnever ended"])
            guest.Send(Encoding.ASCII.GetBytes(piece));
        HostClock.Until(() => _tap.Lines(0, double.MaxValue).Count == 3, s_deadline, "three lines");

        Assert.Equal(["first", "second", "third"], _tap.Lines(before, double.MaxValue).Select(static line => line.Text));
        Assert.Empty(_tap.Lines(0, before - 1));
        Assert.True(_tap.FirstByteUs() >= before);
    }
}
