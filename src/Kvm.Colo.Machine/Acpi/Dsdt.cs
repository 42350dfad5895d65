using Kvm.Colo.Devices.Acpi;
using Kvm.Colo.Devices.Rtc;
using Kvm.Colo.Devices.Serial;

namespace Kvm.Colo.Machine.Acpi;

/// <summary>The machine's devices in ACPI machine language.</summary>
internal static class Dsdt
{
    private const byte DeviceWasPressed = 0x80;
    private const byte GenerationChanged = 0x80;

    /// <summary>The definition block without its table header.</summary>
    public static byte[] Build(AcpiConfig config)
    {
        List<AmlTerm> devices = [];
        foreach (Serial16550Config port in config.SerialPorts)
            devices.Add(Serial(port, devices.Count + 1));
        for (int i = 0; i < config.VirtioDevices.Count; i++)
            devices.Add(Virtio(config.VirtioDevices[i], i));
        if (config.HasRtc)
            devices.Add(Rtc());
        if (config.PanicPort is { } panicPort)
            devices.Add(Panic(panicPort));
        if (config.GenerationAddress is { } address)
            devices.Add(Generation(address));
        if (config.Power is null)
            return Aml.Encode(Aml.Scope("\\_SB", [.. devices]));
        devices.Add(Aml.Device("PWRB", Aml.Name("_HID", Aml.EisaId("PNP0C0C"))));
        devices.Add(GenericEvents(config.Power, config.GenerationAddress is not null));
        return Aml.Encode(SoftOff(), Aml.Scope("\\_SB", [.. devices]));
    }

    private static AmlTerm SoftOff() =>
        Aml.Name("\\_S5", Aml.Package(Aml.Integer(AcpiPowerDevice.SleepTypeOff), Aml.Integer(0), Aml.Integer(0), Aml.Integer(0)));

    // The legacy interrupts of a hardware-reduced machine are not mapped by themselves: without this device the console would go
    // silent when its driver changes from polling to interrupts.
    private static AmlTerm Serial(Serial16550Config port, int number) => Aml.Device(
        $"COM{number}",
        Aml.Name("_HID", Aml.EisaId("PNP0501")),
        Aml.Name("_UID", Aml.Integer((ulong)number)),
        Aml.Name("_CRS", Aml.Resources(
            AmlResource.Ports(port.BasePort, Serial16550Config.PortCount),
            AmlResource.EdgeInterrupt(port.Irq))));

    private static AmlTerm Virtio(AcpiVirtioDevice device, int index) => Aml.Device(
        $"V{index:X3}",
        Aml.Name("_HID", Aml.Text("LNRO0005")),
        Aml.Name("_UID", Aml.Integer((ulong)index)),
        Aml.Name("_CCA", Aml.Integer(1)),
        Aml.Name("_CRS", Aml.Resources(
            AmlResource.Memory32(device.Start, device.SizeBytes),
            AmlResource.LevelInterrupt(device.Irq))));

    private static AmlTerm Rtc() => Aml.Device(
        "RTC",
        Aml.Name("_HID", Aml.EisaId("PNP0B00")),
        Aml.Name("_CRS", Aml.Resources(AmlResource.Ports(RtcDevice.IndexPort, RtcDevice.PortCount))));

    // The id that Linux's driver pvpanic-mmio knows.
    private static AmlTerm Panic(ushort port) => Aml.Device(
        "PEVT",
        Aml.Name("_HID", Aml.Text("QEMU0001")),
        Aml.Name("_CRS", Aml.Resources(AmlResource.Ports(port, 1))));

    // Guests look for the compatible id; ADDR gives the id's address in two halves.
    private static AmlTerm Generation(ulong address) => Aml.Device(
        "VGEN",
        Aml.Name("_HID", Aml.Text("COLO0001")),
        Aml.Name("_CID", Aml.Text("VM_Gen_Counter")),
        Aml.Name("_DDN", Aml.Text("VM_Gen_Counter")),
        Aml.Name("ADDR", Aml.Package(Aml.Integer((uint)address), Aml.Integer(address >> 32))));

    // The generic event device: its interrupt says that something happened, the port says what, and reading the port takes it.
    private static AmlTerm GenericEvents(AcpiPowerConfig power, bool hasGeneration)
    {
        List<AmlTerm> handling =
        [
            Aml.Store(Aml.Reference("EVTS"), Aml.Local0),
            OnEvent(AcpiPowerDevice.PowerButtonEvent, "\\_SB.PWRB", DeviceWasPressed),
        ];
        if (hasGeneration)
            handling.Add(OnEvent(AcpiPowerDevice.GenerationEvent, "\\_SB.VGEN", GenerationChanged));
        return Aml.Device(
            "GED",
            Aml.Name("_HID", Aml.Text("ACPI0013")),
            Aml.Name("_UID", Aml.Integer(0)),
            Aml.Name("_CRS", Aml.Resources(AmlResource.EdgeInterrupt(power.Irq))),
            Aml.PortRegion("EREG", (ushort)(power.BasePort + AcpiPowerDevice.EventOffset), 1),
            Aml.ByteField("EREG", "EVTS"),
            Aml.Method("_EVT", 1, [.. handling]));
    }

    private static AmlTerm OnEvent(byte bit, string device, byte notification) =>
        Aml.If(Aml.And(Aml.Local0, Aml.Integer(bit)), Aml.Notify(device, notification));
}
