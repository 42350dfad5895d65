namespace Kvm.Colo.Devices;

/// <summary>A device on the memory-mapped bus. Called by several vCPU threads at once: the device has its own lock.</summary>
internal interface IMmioDevice
{
    /// <summary>
    /// Fills <paramref name="data"/> (1 to 8 bytes) from byte <paramref name="offset"/> of the device's window.
    /// </summary>
    void Read(ulong offset, Span<byte> data);

    /// <summary>Takes <paramref name="data"/> (1 to 8 bytes) at byte <paramref name="offset"/> of the device's window.</summary>
    void Write(ulong offset, ReadOnlySpan<byte> data);
}
