namespace Kvm.Colo.Devices.Acpi;

/// <summary>
/// The registers the FADT and the DSDT point at: sleep control and status, reset, and the events behind the generic event
/// device (ACPI 6.5, sections 4.8.3.7 and 5.6.9). Any thread may call; one lock.
/// </summary>
internal sealed partial class AcpiPowerDevice(AcpiPowerConfig config, IMachineControl control, IInterruptLine line) : IPortDevice
{
    public const ushort SleepControlOffset = 0;
    public const ushort SleepStatusOffset = 1;
    public const ushort ResetOffset = 2;
    public const ushort EventOffset = 4;
    public const int PortCount = 5;

    /// <summary>What the guest writes to the reset register.</summary>
    public const byte ResetValue = 1;

    /// <summary>SLP_TYP of S5, which the DSDT's \_S5 package repeats.</summary>
    public const byte SleepTypeOff = 5;

    /// <summary>Event bit of the power button.</summary>
    public const byte PowerButtonEvent = 0x01;

    /// <summary>Event bit of a new VM generation id.</summary>
    public const byte GenerationEvent = 0x02;

    public const byte AllEvents = PowerButtonEvent | GenerationEvent;

    private const byte SleepEnable = 0x20;

    private readonly Lock _lock = new();
    private byte _pendingEvents;

    public AcpiPowerConfig Config { get; } = config;

    public PortRange Ports => new(Config.BasePort, PortCount, "acpi-power", this);

    public void Read(ushort offset, Span<byte> data)
    {
        for (int i = 0; i < data.Length; i++)
            data[i] = offset + i == EventOffset ? TakeEvents() : (byte)0;
    }

    public void Write(ushort offset, ReadOnlySpan<byte> data)
    {
        for (int i = 0; i < data.Length; i++)
        {
            byte value = data[i];
            if (offset + i == ResetOffset && value == ResetValue)
                control.RequestReset();
            else if (offset + i == SleepControlOffset && (value & SleepEnable) != 0 && ((value >> 2) & 7) == SleepTypeOff)
                control.RequestPowerOff();
        }
    }

    /// <summary>Tells the guest that its power button was pressed.</summary>
    public void PressPowerButton() => Raise(PowerButtonEvent);

    /// <summary>Tells the guest that it has another generation id.</summary>
    public void AnnounceGeneration() => Raise(GenerationEvent);

    public void Reset()
    {
        lock (_lock)
        {
            _pendingEvents = 0;
            line.Set(false);
        }
    }

    private void Raise(byte happened)
    {
        lock (_lock)
        {
            _pendingEvents |= happened;

            // An edge that came while the guest had the pin masked is lost, and a level that stays high makes no other.
            line.Set(false);
            line.Set(true);
        }
    }

    // Reading takes the events, so that one reader handles each of them once.
    private byte TakeEvents()
    {
        lock (_lock)
        {
            byte events = _pendingEvents;
            _pendingEvents = 0;
            if (events != 0)
                line.Set(false);
            return events;
        }
    }
}
