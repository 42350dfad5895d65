namespace Kvm.Colo.Devices.Diagnostics;

/// <summary>
/// Ports 0x80 and 0xED, which software writes to pass a microsecond and BIOSes use for progress codes. The last code is kept
/// for diagnostics only; it is no guest-visible state, so nothing of it is saved.
/// </summary>
internal sealed class DelayPortDevice : IPortDevice
{
    public const ushort PostPort = 0x80;
    public const ushort AlternatePort = 0xED;

    private byte _lastCode;

    public IReadOnlyList<PortRange> Ports => [new(PostPort, 1, "post", this), new(AlternatePort, 1, "delay", this)];

    public byte LastCode => Volatile.Read(ref _lastCode);

    public void Read(ushort offset, Span<byte> data) => data.Fill(0xFF);

    public void Write(ushort offset, ReadOnlySpan<byte> data) => Volatile.Write(ref _lastCode, data[0]);
}
