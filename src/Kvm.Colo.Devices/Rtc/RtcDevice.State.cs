using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Rtc;

// The device's part in a save and a load.
internal sealed partial class RtcDevice : IStateOwner
{
    private readonly RtcState _current = new();
    private readonly RtcState _staged = new();

    public string Name => "rtc";

    public uint InstanceId => 0;

    public uint Version => 1;

    public DeviceState Current => _current;

    public DeviceState Staged => _staged;

    public void Capture()
    {
        lock (_lock)
        {
            _current.Index = _index;
            _current.OffsetTicks = _offsetTicks;
            _current.FlagsReadAtTicks = _flagsReadAtTicks;
            _cmos.CopyTo(_current.Cmos.AsSpan());
        }
    }

    public string? Apply()
    {
        lock (_lock)
        {
            _index = _staged.Index;
            _offsetTicks = _staged.OffsetTicks;
            _flagsReadAtTicks = _staged.FlagsReadAtTicks;
            _staged.Cmos.CopyTo(_cmos.AsSpan());
        }

        return null;
    }
}
