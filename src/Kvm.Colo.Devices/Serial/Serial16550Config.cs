namespace Kvm.Colo.Devices.Serial;

/// <summary>Where a serial port sits; the defaults are COM1 of a PC.</summary>
internal sealed record Serial16550Config
{
    public const int PortCount = 8;

    public ushort BasePort { get; init; } = 0x3F8;

    /// <summary>Input pin of the interrupt controller.</summary>
    public uint Irq { get; init; } = 4;

    /// <summary>Tells this port's state from that of another port in the stream.</summary>
    public uint InstanceId { get; init; }
}
