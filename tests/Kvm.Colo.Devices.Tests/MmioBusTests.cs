using Kvm.Colo.Devices.Tests.Support;

namespace Kvm.Colo.Devices.Tests;

public class MmioBusTests
{
    private readonly CountingLogger _logger = new();
    private readonly RegisterDevice _first = new();
    private readonly RegisterDevice _second = new();

    [Fact]
    public void Access_FindsItsWindow_AmongMany()
    {
        List<MmioRange> ranges = [];
        List<RegisterDevice> devices = [];
        for (int i = 0; i < 33; i++)
        {
            devices.Add(new RegisterDevice());
            ranges.Insert(0, new MmioRange(0xC000_0000 + ((ulong)i * 0x2000), 0x1000, $"d{i}", devices[i]));
        }

        MmioBus bus = new(ranges, _logger, TimeProvider.System);
        for (int i = 0; i < 33; i++)
        {
            bus.Write(0xC000_0FFF + ((ulong)i * 0x2000), [(byte)i]);
            Assert.Equal([$"wfff:{i:x2}"], devices[i].Log);
            bus.Write(0xC000_1000 + ((ulong)i * 0x2000), [1]);
        }

        Assert.Equal(33, bus.Counters.UnknownWrites);
    }

    [Theory]
    [InlineData(0xBFF, 1)]
    [InlineData(0x1000, 8)]
    [InlineData(0xFFC, 8)]
    [InlineData(ulong.MaxValue, 8)]
    [InlineData(0, 4)]
    public void Read_GivesAllOnes_OutsideAndAcrossTheEnd(ulong address, int length)
    {
        MmioBus bus = new([new MmioRange(0xC00, 0x400, "a", _first)], _logger, TimeProvider.System);
        byte[] data = new byte[length];
        bus.Read(address, data);
        Assert.All(data, b => Assert.Equal(0xFF, b));
        Assert.Empty(_first.Log);
        Assert.Equal(1, bus.Counters.UnknownReads);
    }

    [Fact]
    public void DeviceException_StopsAtTheBus()
    {
        MmioBus bus = new([new MmioRange(0xC00, 0x400, "a", _first)], _logger, TimeProvider.System);
        _first.Throws = true;
        byte[] data = new byte[4];
        bus.Read(0xC00, data);
        bus.Write(0xC00, data);
        Assert.Equal([0xFF, 0xFF, 0xFF, 0xFF], data);
        Assert.Equal(2, bus.Counters.DeviceFaults);
        Assert.Single(_logger.Lines);
    }

    [Fact]
    public void Constructor_RefusesOverlap_EmptyAndWrapping()
    {
        Assert.Throws<ArgumentException>(() => NewBus(new(0x1000, 0x1000, "a", _first), new(0x1FFF, 1, "b", _second)));
        Assert.Throws<ArgumentException>(() => NewBus(new MmioRange(0x1000, 0, "a", _first)));
        Assert.Throws<ArgumentException>(() => NewBus(new MmioRange(ulong.MaxValue, 2, "a", _first)));
    }

    private MmioBus NewBus(params MmioRange[] ranges) => new(ranges, _logger, TimeProvider.System);
}
