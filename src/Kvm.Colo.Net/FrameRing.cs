using System.Runtime.InteropServices;

namespace Kvm.Colo.Net;

/// <summary>
/// Frames that wait, first in first out, in one buffer that is made once: a length and the bytes, each frame in one piece. Positions only
/// grow, so a mark stays good whatever leaves before it. Not thread-safe.
/// </summary>
internal sealed class FrameRing
{
    /// <summary>A frame of the greatest length fits however the buffer is cut while this much is free.</summary>
    public const int ReserveBytes = 2 * (VnetHeader.MaxFrameBytes + (2 * sizeof(int)));

    private const int WrapMark = -1;
    private readonly byte[] _bytes;
    private ulong _head;
    private ulong _tail;

    /// <summary>An empty ring.</summary>
    /// <param name="capacityBytes">A power of two, several times <see cref="ReserveBytes"/>.</param>
    public FrameRing(int capacityBytes)
    {
        if (capacityBytes < 2 * ReserveBytes || (capacityBytes & (capacityBytes - 1)) != 0)
            throw new ArgumentOutOfRangeException(nameof(capacityBytes), $"{capacityBytes} bytes");
        _bytes = GC.AllocateUninitializedArray<byte>(capacityBytes);
    }

    /// <summary>Frames in the ring.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes taken, lengths and gaps included.</summary>
    public ulong UsedBytes => _tail - _head;

    /// <summary>Whether a frame of any legal length fits.</summary>
    public bool HasRoom => (ulong)_bytes.Length - UsedBytes >= ReserveBytes;

    /// <summary>Where the next frame will begin; for <see cref="TryPeek"/>.</summary>
    public ulong Tail => _tail;

    /// <summary>Copies the frame in; false when there is no room for it or no frame is that long.</summary>
    public bool TryAdd(ReadOnlySpan<byte> frame)
    {
        if (frame.Length > VnetHeader.MaxFrameBytes || !HasRoom)
            return false;
        int record = RecordBytes(frame.Length);
        if (_bytes.Length - Index(_tail) < record)
        {
            SetLength(_tail, WrapMark);
            _tail += (ulong)(_bytes.Length - Index(_tail));
        }

        SetLength(_tail, frame.Length);
        frame.CopyTo(_bytes.AsSpan(Index(_tail) + sizeof(int)));
        _tail += (ulong)record;
        Count++;
        return true;
    }

    /// <summary>The oldest frame, if it was added before <paramref name="limit"/>, a former <see cref="Tail"/>.</summary>
    public bool TryPeek(ulong limit, out ReadOnlySpan<byte> frame)
    {
        frame = default;
        if (_head != _tail && Length(_head) == WrapMark)
            _head += (ulong)(_bytes.Length - Index(_head));
        if (_head == _tail || _head >= limit)
            return false;
        frame = _bytes.AsSpan(Index(_head) + sizeof(int), Length(_head));
        return true;
    }

    /// <summary>Removes the frame that was looked at.</summary>
    public void RemoveFirst()
    {
        _head += (ulong)RecordBytes(Length(_head));
        Count--;
    }

    public void Clear()
    {
        _head = _tail;
        Count = 0;
    }

    // Whole words, so that a length never lies across the end.
    private static int RecordBytes(int length) => (sizeof(int) + length + 3) & ~3;

    private int Index(ulong position) => (int)(position & (ulong)(_bytes.Length - 1));

    private int Length(ulong position) => MemoryMarshal.Read<int>(_bytes.AsSpan(Index(position)));

    private void SetLength(ulong position, int length) => MemoryMarshal.Write(_bytes.AsSpan(Index(position)), length);
}
