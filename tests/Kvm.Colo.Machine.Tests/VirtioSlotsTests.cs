using Kvm.Colo.Devices.Virtio.Mmio;
using Kvm.Colo.Memory;
using Xunit;

namespace Kvm.Colo.Machine.Tests;

public sealed class VirtioSlotsTests
{
    [Fact]
    public void Windows_LieInTheHole_AndDoNotTouch()
    {
        for (int place = 0; place < VirtioSlots.Count; place++)
        {
            uint window = VirtioSlots.Window(place);
            Assert.InRange(window, (uint)GuestMemory.LowRamLimit, 0xFEC0_0000u - VirtioSlots.WindowBytes);
            Assert.Equal(0u, window % 0x1000);
            if (place > 0)
                Assert.True(window - VirtioSlots.Window(place - 1) >= VirtioSlots.WindowBytes);
        }

        Assert.Equal((uint)VirtioMmioTransport.WindowBytes, VirtioSlots.WindowBytes);
    }

    // 0 to 3: timer, keyboard, cascade, COM2. 4: COM1, 8: clock, 9: power events.
    [Fact]
    public void Pins_BelongToNobodyElse_AndAreThoseOfTheIoApic()
    {
        HashSet<uint> taken = [0, 1, 2, 3, 4, 8, 9];
        for (int place = 0; place < VirtioSlots.Count; place++)
        {
            Assert.InRange(VirtioSlots.Pin(place), 0u, 23u);
            Assert.True(taken.Add(VirtioSlots.Pin(place)), $"pin {VirtioSlots.Pin(place)} is taken");
        }
    }

    [Fact]
    public void Places_AreEnoughForTheDevicesThatAreAlwaysAllowed() =>
        Assert.Equal(VirtioSlots.Count, MachineConfig.MaxDisksAndNets + 3);
}
