using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Acpi;

// The device's part in a save and a load.
internal sealed partial class AcpiPowerDevice : IStateOwner
{
    private readonly AcpiPowerState _current = new();
    private readonly AcpiPowerState _staged = new();

    public string Name => "acpi-power";

    public uint InstanceId => 0;

    public uint Version => 1;

    public DeviceState Current => _current;

    public DeviceState Staged => _staged;

    public void Capture()
    {
        lock (_lock)
            _current.PendingEvents = _pendingEvents;
    }

    public string? Apply()
    {
        lock (_lock)
        {
            _pendingEvents = _staged.PendingEvents;
            line.Set(_pendingEvents != 0);
        }

        return null;
    }
}
