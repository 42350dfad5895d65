namespace Kvm.Colo.Devices;

/// <summary>A bounded first-in first-out queue of bytes. Not synchronised: its owner has the lock.</summary>
internal sealed class ByteRing(int capacityBytes)
{
    private readonly byte[] _bytes = new byte[capacityBytes];
    private int _head;

    public int Count { get; private set; }

    public int Capacity => _bytes.Length;

    public int Free => _bytes.Length - Count;

    /// <summary>Appends what fits and returns how many bytes that was.</summary>
    public int Write(ReadOnlySpan<byte> source)
    {
        int length = Math.Min(source.Length, Free);
        int tail = (int)(((uint)_head + (uint)Count) % (uint)_bytes.Length);
        int first = Math.Min(length, _bytes.Length - tail);
        source[..first].CopyTo(_bytes.AsSpan(tail));
        source[first..length].CopyTo(_bytes);
        Count += length;
        return length;
    }

    /// <summary>Appends everything, dropping the oldest bytes for it; returns how many were dropped.</summary>
    public long WriteDroppingOldest(ReadOnlySpan<byte> source)
    {
        long dropped = Math.Max(0L, (long)Count + source.Length - _bytes.Length);
        if (source.Length >= _bytes.Length)
        {
            Clear();
            Write(source[^_bytes.Length..]);
            return dropped;
        }

        Discard((int)dropped);
        Write(source);
        return dropped;
    }

    /// <summary>Copies the oldest bytes without removing them; returns how many.</summary>
    public int Peek(Span<byte> destination)
    {
        int length = Math.Min(destination.Length, Count);
        int first = Math.Min(length, _bytes.Length - _head);
        _bytes.AsSpan(_head, first).CopyTo(destination);
        _bytes.AsSpan(0, length - first).CopyTo(destination[first..]);
        return length;
    }

    /// <summary>The oldest bytes that lie in one piece; stale after any other call.</summary>
    public ReadOnlySpan<byte> PeekContiguous() => _bytes.AsSpan(_head, Math.Min(Count, _bytes.Length - _head));

    public int Read(Span<byte> destination)
    {
        int length = Peek(destination);
        Discard(length);
        return length;
    }

    public void Discard(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)Count);
        _head = (int)(((uint)_head + (uint)length) % (uint)_bytes.Length);
        Count -= length;
    }

    public void Clear()
    {
        _head = 0;
        Count = 0;
    }
}
