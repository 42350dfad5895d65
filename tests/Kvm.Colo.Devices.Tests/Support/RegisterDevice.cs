namespace Kvm.Colo.Devices.Tests.Support;

/// <summary>Remembers accesses; reads give the offset; can be told to throw.</summary>
internal sealed class RegisterDevice : IPortDevice, IMmioDevice
{
    public List<string> Log { get; } = [];

    public bool Throws { get; set; }

    public void Read(ushort offset, Span<byte> data) => Read((ulong)offset, data);

    public void Write(ushort offset, ReadOnlySpan<byte> data) => Write((ulong)offset, data);

    public void Read(ulong offset, Span<byte> data)
    {
        if (Throws)
            throw new InvalidOperationException("broken on purpose");
        for (int i = 0; i < data.Length; i++)
            data[i] = (byte)(offset + (ulong)i);
        Log.Add($"r{offset:x}:{data.Length}");
    }

    public void Write(ulong offset, ReadOnlySpan<byte> data)
    {
        if (Throws)
            throw new InvalidOperationException("broken on purpose");
        Log.Add($"w{offset:x}:{Convert.ToHexStringLower(data)}");
    }
}
