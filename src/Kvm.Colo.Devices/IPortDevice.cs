namespace Kvm.Colo.Devices;

/// <summary>A device on the port bus. Called by several vCPU threads at once: the device has its own lock.</summary>
internal interface IPortDevice
{
    /// <summary>Fills <paramref name="data"/> (1, 2 or 4 bytes) from register <paramref name="offset"/> upward.</summary>
    void Read(ushort offset, Span<byte> data);

    /// <summary>Takes <paramref name="data"/> (1, 2 or 4 bytes) into register <paramref name="offset"/> upward.</summary>
    void Write(ushort offset, ReadOnlySpan<byte> data);
}
