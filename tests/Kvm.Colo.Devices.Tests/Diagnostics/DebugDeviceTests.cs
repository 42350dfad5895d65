using Kvm.Colo.Devices.Diagnostics;
using Kvm.Colo.Devices.Tests.Support;

namespace Kvm.Colo.Devices.Tests.Diagnostics;

public class DebugDeviceTests
{
    private readonly FakeMachineControl _control = new();

    [Fact]
    public void DebugExit_TakesTheLowByte()
    {
        PortBus bus = new([new DebugExitDevice(_control).Ports], new CountingLogger(), TimeProvider.System);
        bus.Write(0xF4, [0x10, 0, 0, 0]);
        bus.Write(0xF5, [0x11]);
        Assert.Equal(["exit 16"], _control.Requests);
    }

    [Fact]
    public void Pvpanic_OffersAndReportsItsEvents()
    {
        PvpanicDevice device = new(_control);
        byte[] data = new byte[1];
        device.Read(0, data);
        Assert.Equal([3], data);
        device.Write(0, [0xFC]);
        device.Write(0, [0xF1]);
        Assert.Equal(["panic 1"], _control.Requests);
    }

    [Fact]
    public void DelayPort_RemembersTheCode()
    {
        DelayPortDevice device = new();
        PortBus bus = new(device.Ports, new CountingLogger(), TimeProvider.System);
        bus.Write(0x80, [0x42]);
        Assert.Equal(0x42, device.LastCode);
        bus.Write(0xED, [0x43]);
        Assert.Equal(0x43, device.LastCode);
    }
}
