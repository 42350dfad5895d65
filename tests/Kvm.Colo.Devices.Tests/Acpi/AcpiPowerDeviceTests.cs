using Kvm.Colo.Devices.Acpi;
using Kvm.Colo.Devices.Tests.Support;

namespace Kvm.Colo.Devices.Tests.Acpi;

public class AcpiPowerDeviceTests
{
    private readonly FakeMachineControl _control = new();
    private readonly FakeInterruptLine _line = new();
    private readonly AcpiPowerDevice _device;

    public AcpiPowerDeviceTests() => _device = new AcpiPowerDevice(new AcpiPowerConfig(), _control, _line);

    [Fact]
    public void SleepControl_PowersOff_OnlyWithTypeAndEnable()
    {
        _device.Write(0, [5 << 2]);
        _device.Write(0, [(4 << 2) | 0x20]);
        _device.Write(1, [0x34]);
        Assert.Empty(_control.Requests);
        _device.Write(0, [0x34]);
        Assert.Equal(["power-off"], _control.Requests);
    }

    [Fact]
    public void ResetRegister_Resets_OnItsValueOnly()
    {
        _device.Write(2, [0]);
        Assert.Empty(_control.Requests);
        _device.Write(2, [1]);
        Assert.Equal(["reset"], _control.Requests);
    }

    [Fact]
    public void PowerButton_InterruptsEachTime_AndIsTakenByReading()
    {
        _device.PressPowerButton();
        _device.PressPowerButton();
        Assert.Equal(2, _line.RisingEdges); // the first may have met a masked pin
        byte[] data = new byte[1];
        _device.Read(4, data);
        Assert.Equal([1], data);
        Assert.False(_line.Level);
        _device.Read(4, data);
        Assert.Equal([0], data);
    }

    [Fact]
    public void PendingButton_SurvivesALoad()
    {
        _device.PressPowerButton();
        FakeInterruptLine line = new();
        AcpiPowerDevice other = new(new AcpiPowerConfig(), _control, line);
        Assert.Null(StateTrip.Load(other, StateTrip.Save(_device)));
        Assert.True(line.Level);
        Assert.NotNull(StateTrip.Load(other, [0x80]));
        other.Reset();
        Assert.False(line.Level);
    }
}
