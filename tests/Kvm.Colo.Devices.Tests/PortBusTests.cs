using Kvm.Colo.Devices.Diagnostics;
using Kvm.Colo.Devices.Tests.Support;

namespace Kvm.Colo.Devices.Tests;

public class PortBusTests
{
    private readonly CountingLogger _logger = new();
    private readonly ManualTimeProvider _time = new(DateTimeOffset.UnixEpoch);
    private readonly RegisterDevice _first = new();
    private readonly RegisterDevice _second = new();

    [Fact]
    public void Read_ReachesTheDevice_WithItsOwnOffset()
    {
        PortBus bus = NewBus(new PortRange(0x60, 1, "a", _first), new PortRange(0x64, 1, "a", _first, 4));
        byte[] data = [0xEE];
        bus.Read(0x64, data);
        Assert.Equal([4], data);
        bus.Write(0x60, [9]);
        Assert.Equal(["r4:1", "w0:09"], _first.Log);
    }

    [Theory]
    [InlineData(0x70, 1)]
    [InlineData(0x70, 4)]
    [InlineData(0xFFFF, 4)]
    public void Read_GivesAllOnes_WhereNobodyIs(int port, int length)
    {
        PortBus bus = NewBus(new PortRange(0x60, 1, "a", _first));
        byte[] data = new byte[length];
        bus.Read((ushort)port, data);
        Assert.All(data, b => Assert.Equal(0xFF, b));
        Assert.Equal(length, bus.Counters.UnknownReads);
    }

    [Fact]
    public void Access_IsSplit_WhenItLeavesItsDevice()
    {
        PortBus bus = NewBus(new PortRange(0x10, 2, "a", _first), new PortRange(0x13, 1, "b", _second));
        byte[] data = new byte[4];
        bus.Read(0x11, data);
        Assert.Equal([1, 0xFF, 0, 0xFF], data);
        bus.Write(0x11, [1, 2, 3, 4]);
        Assert.Equal(["r1:1", "w1:01"], _first.Log);
        Assert.Equal(["r0:1", "w0:03"], _second.Log);
        Assert.Equal(2, bus.Counters.UnknownWrites);
    }

    [Fact]
    public void LastPort_IsReachable()
    {
        PortBus bus = NewBus(new PortRange(0xFFFF, 1, "a", _first));
        byte[] data = new byte[1];
        bus.Read(0xFFFF, data);
        Assert.Equal([0], data);
    }

    [Fact]
    public void DeviceException_StopsAtTheBus_AndIsLoggedOncePerInterval()
    {
        PortBus bus = NewBus(new PortRange(0x10, 4, "a", _first));
        _first.Throws = true;
        byte[] data = [0, 0];
        for (int i = 0; i < 50; i++)
            bus.Read(0x10, data);
        bus.Write(0x10, data);
        Assert.Equal([0xFF, 0xFF], data);
        Assert.Equal(51, bus.Counters.DeviceFaults);
        Assert.Single(_logger.Lines);
        _time.Advance(TimeSpan.FromMinutes(1));
        bus.Write(0x10, data);
        Assert.Contains("50 like it", _logger.Lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_RefusesOverlap_EmptyAndOutside()
    {
        Assert.Throws<ArgumentException>(() => NewBus(new PortRange(0x10, 4, "a", _first), new PortRange(0x13, 1, "b", _second)));
        Assert.Throws<ArgumentException>(() => NewBus(new PortRange(0x10, 0, "a", _first)));
        Assert.Throws<ArgumentException>(() => NewBus(new PortRange(0xFFFF, 2, "a", _first)));
    }

    [Fact]
    public void Accesses_AllocateNothing()
    {
        PortBus bus = NewBus(new PortRange(0x10, 4, "a", new DelayPortDevice()));
        byte[] data = new byte[4];
        bus.Read(0x10, data);
        bus.Write(0x10, data);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            bus.Read(0x12, data);
            bus.Write(0x10, data);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private PortBus NewBus(params PortRange[] ranges) => new(ranges, _logger, _time);
}
