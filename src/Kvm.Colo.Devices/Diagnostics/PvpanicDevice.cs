namespace Kvm.Colo.Devices.Diagnostics;

/// <summary>
/// Lets a guest kernel report its own crash (Linux uapi misc/pvpanic.h; event bits 0 panicked, 1 crash-loaded).
/// </summary>
internal sealed class PvpanicDevice(IMachineControl control) : IPortDevice
{
    public const ushort Port = 0x505;
    public const byte Panicked = 0x01;
    public const byte CrashLoaded = 0x02;
    private const byte SupportedEvents = Panicked | CrashLoaded;

    public PortRange Ports => new(Port, 1, "pvpanic", this);

    public void Read(ushort offset, Span<byte> data) => data.Fill(SupportedEvents);

    public void Write(ushort offset, ReadOnlySpan<byte> data)
    {
        byte events = (byte)(data[0] & SupportedEvents);
        if (events != 0)
            control.RequestPanic(events);
    }
}
