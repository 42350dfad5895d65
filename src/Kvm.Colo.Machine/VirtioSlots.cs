using Kvm.Colo.Devices.Virtio.Mmio;

namespace Kvm.Colo.Machine;

/// <summary>
/// Where virtio devices sit: the window and the pin follow from a device's place, so both hosts of a pair arrive at the same machine.
/// </summary>
internal static class VirtioSlots
{
    private const uint FirstWindow = 0xC000_1000;
    private const uint WindowStep = 0x1000;

    // Pins without an owner on a PC; 8 and 9 belong to the clock and the power button.
    private static readonly uint[] s_pins = [5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23];

    /// <summary>Devices a machine can have.</summary>
    public static int Count => s_pins.Length;

    public static uint WindowBytes => (uint)VirtioMmioTransport.WindowBytes;

    public static uint Window(int place) => FirstWindow + ((uint)place * WindowStep);

    public static uint Pin(int place) => s_pins[place];
}
