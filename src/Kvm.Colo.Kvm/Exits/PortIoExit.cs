namespace Kvm.Colo.Kvm;

/// <summary>A port access of the guest; string instructions give <see cref="Count"/> items of <see cref="Size"/> bytes.</summary>
internal readonly ref struct PortIoExit(ushort port, bool isWrite, int size, int count, Span<byte> data)
{
    public ushort Port { get; } = port;

    public bool IsWrite { get; } = isWrite;

    public int Size { get; } = size;

    public int Count { get; } = count;

    /// <summary>Bytes in the run page: read them on a write, fill them on a read; stale after the next run.</summary>
    public Span<byte> Data { get; } = data;
}
