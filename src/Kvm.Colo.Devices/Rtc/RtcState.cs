using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Rtc;

/// <summary>The CMOS bytes and the clock as an offset from UTC, in ticks of 100 ns.</summary>
internal sealed class RtcState : DeviceState
{
    // Either clock lies in years 1 to 9999, so no honest offset is larger.
    private const long MaxOffsetTicks = 315_537_897_600L * TimeSpan.TicksPerSecond;

    public byte Index;
    public long OffsetTicks;
    public long FlagsReadAtTicks;
    public readonly byte[] Cmos = new byte[RtcDevice.CmosBytes];

    public override void Visit(StateVisitor v)
    {
        v.U8("index", ref Index);
        v.I64("offset", ref OffsetTicks);
        v.I64("flags-read-at", ref FlagsReadAtTicks);
        v.Bytes("cmos", Cmos);
    }

    public override string? Validate()
    {
        if (Index >= RtcDevice.CmosBytes)
            return $"register {Index} of {RtcDevice.CmosBytes}";
        return OffsetTicks is > MaxOffsetTicks or < -MaxOffsetTicks ? "the clock's offset is out of range" : null;
    }
}
