namespace Kvm.Colo.Devices.Acpi;

/// <summary>Where the power registers sit and which pin announces an event.</summary>
internal sealed record AcpiPowerConfig
{
    public ushort BasePort { get; init; } = 0x600;

    /// <summary>Input pin of the interrupt controller, edge triggered.</summary>
    public uint Irq { get; init; } = 9;
}
