using Kvm.Colo.Devices.Rtc;
using Kvm.Colo.Devices.Tests.Support;

namespace Kvm.Colo.Devices.Tests.Rtc;

public class RtcDeviceTests
{
    private readonly ManualTimeProvider _time = new(new DateTimeOffset(2031, 5, 4, 23, 59, 58, TimeSpan.Zero));
    private readonly RtcDevice _rtc;

    public RtcDeviceTests() => _rtc = new RtcDevice(new RtcConfig(0xC000_0000, 5ul << 30), _time);

    [Fact]
    public void Time_IsBcdUtc()
    {
        Assert.Equal([0x58, 0x59, 0x23, 0x01, 0x04, 0x05, 0x31, 0x20], ReadTime());
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal([0x00, 0x00, 0x00, 0x02, 0x05, 0x05, 0x31, 0x20], ReadTime());
    }

    [Fact]
    public void BinaryAndTwelveHours_AreHonoured()
    {
        Out(0x0B, 0x04);
        Assert.Equal(0x80 | 11, In(0x04));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(12, In(0x04));
        _time.Advance(TimeSpan.FromHours(12));
        Assert.Equal(0x80 | 12, In(0x04));
    }

    [Fact]
    public void SettingTheClock_KeepsAnOffset_ThroughAResetAndALoad()
    {
        Out(0x0B, 0x82);
        Out(0x09, 0x40);
        Out(0x00, 0x10);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(0x10, In(0x00));
        Out(0x0B, 0x02);
        Assert.Equal(0x40, In(0x09));
        Assert.Equal(0x10, In(0x00));
        _rtc.Reset();
        Assert.Equal(0x40, In(0x09));
        RtcDevice other = new(new RtcConfig(1 << 20, 0), _time);
        Assert.Null(StateTrip.Load(other, StateTrip.Save(_rtc)));
        other.Write(0, [0x09]);
        byte[] year = new byte[1];
        other.Read(1, year);
        Assert.Equal(0x40, year[0]);
    }

    [Fact]
    public void ADateThatDoesNotExist_ChangesNothing()
    {
        Out(0x08, 0x77);
        Assert.Equal([0x58, 0x59, 0x23, 0x01, 0x04, 0x05, 0x31, 0x20], ReadTime());
    }

    [Fact]
    public void UpdateInProgress_ComesBeforeTheSecondChanges()
    {
        Assert.Equal(0x26, In(0x0A));
        _time.Advance(TimeSpan.FromMilliseconds(999.9));
        Assert.Equal(0xA6, In(0x0A));
    }

    [Fact]
    public void Flags_FollowTheClock_AndAreTakenByReading()
    {
        In(0x0C);
        Assert.Equal(0x00, In(0x0C));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0x50, In(0x0C));
        Assert.Equal(0x00, In(0x0C));
    }

    [Fact]
    public void MemorySizes_AreWhereABiosPutsThem()
    {
        Assert.Equal(640, In(0x15) | (In(0x16) << 8));
        Assert.Equal(0xFFFF, In(0x30) | (In(0x31) << 8));
        Assert.Equal(0xBF00, In(0x34) | (In(0x35) << 8));
        Assert.Equal(0x1_4000, In(0x5B) | (In(0x5C) << 8) | (In(0x5D) << 16));
        Assert.Equal(0x80, In(0x0D));
    }

    [Fact]
    public void IndexPort_IgnoresTheNmiBit_AndReadsAsOnes()
    {
        _rtc.Write(0, [0x80 | 0x0D]);
        byte[] data = new byte[2];
        _rtc.Read(0, data);
        Assert.Equal([0xFF, 0x80], data);
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void Load_RefusesAnOffsetOutOfTime(long offset)
    {
        byte[] saved = StateTrip.Save(_rtc);
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(saved.AsSpan(1), offset);
        Assert.NotNull(StateTrip.Load(_rtc, saved));
    }

    private byte[] ReadTime() => [In(0), In(2), In(4), In(6), In(7), In(8), In(9), In(0x32)];

    private byte In(byte index)
    {
        byte[] data = new byte[1];
        _rtc.Write(0, [index]);
        _rtc.Read(1, data);
        return data[0];
    }

    private void Out(byte index, byte value)
    {
        _rtc.Write(0, [index]);
        _rtc.Write(1, [value]);
    }
}
