namespace Kvm.Colo.Kvm;

/// <summary>An access of the guest to an address without RAM, one to eight bytes.</summary>
internal readonly ref struct MmioExit(ulong address, bool isWrite, Span<byte> data)
{
    public ulong Address { get; } = address;

    public bool IsWrite { get; } = isWrite;

    /// <summary>Bytes in the run page: read them on a write, fill them on a read; stale after the next run.</summary>
    public Span<byte> Data { get; } = data;
}
