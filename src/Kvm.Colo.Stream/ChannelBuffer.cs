using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Kvm.Colo.Stream;

/// <summary>Staging area for one epoch's device state, big-endian, reused for the whole session and bounded. It belongs to
/// the migration thread. It grows by doubling, never shrinks, and allocates nothing once it has seen the largest epoch.</summary>
internal sealed class ChannelBuffer : IBufferWriter<byte>, IDisposable
{
    public const int InitialBytes = 64 * 1024;
    public const int DefaultMaximumBytes = 16 * 1024 * 1024;

    private readonly int _maximumBytes;
    private byte[] _bytes;
    private int _length;

    /// <summary>Takes the initial area from the pool.</summary>
    /// <param name="maximumBytes">No write and no receive may pass this size.</param>
    public ChannelBuffer(int maximumBytes = DefaultMaximumBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maximumBytes);
        _maximumBytes = maximumBytes;
        _bytes = ArrayPool<byte>.Shared.Rent(Math.Min(InitialBytes, maximumBytes));
    }

    public int MaximumBytes => _maximumBytes;

    public int Length => _length;

    public ReadOnlySpan<byte> WrittenSpan => _bytes.AsSpan(0, _length);

    public ReadOnlyMemory<byte> WrittenMemory => _bytes.AsMemory(0, _length);

    public void Reset() => _length = 0;

    /// <summary>Drops everything written after <paramref name="length"/> bytes.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _length);
        _length = length;
    }

    public void WriteU8(byte value) => Take(1)[0] = value;

    public void WriteU16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Take(sizeof(ushort)), value);

    public void WriteU32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Take(sizeof(uint)), value);

    public void WriteU64(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Take(sizeof(ulong)), value);

    public void WriteU128(UInt128 value) => BinaryPrimitives.WriteUInt128BigEndian(Take(16), value);

    public void WriteBytes(ReadOnlySpan<byte> source) => source.CopyTo(Take(source.Length));

    /// <summary>u8 length and that many ASCII bytes.</summary>
    /// <exception cref="ArgumentException">Not a legal <see cref="WireName"/>.</exception>
    public void WriteName(ReadOnlySpan<char> name)
    {
        WireName.ThrowIfIllegal(name);
        WriteU8((byte)name.Length);
        WriteAscii(name);
    }

    /// <summary>ASCII bytes without a length.</summary>
    public void WriteAscii(ReadOnlySpan<char> text) => Ascii.FromUtf16(text, Take(text.Length), out _);

    /// <summary>Leaves room for a field whose value is known later; answers its position for the patch methods.</summary>
    public int Reserve(int bytes)
    {
        int position = _length;
        Take(bytes).Clear();
        return position;
    }

    public void PatchU16(int position, ushort value) =>
        BinaryPrimitives.WriteUInt16BigEndian(Written(position, sizeof(ushort)), value);

    public void PatchU32(int position, uint value) =>
        BinaryPrimitives.WriteUInt32BigEndian(Written(position, sizeof(uint)), value);

    public void PatchU64(int position, ulong value) =>
        BinaryPrimitives.WriteUInt64BigEndian(Written(position, sizeof(ulong)), value);

    /// <summary>Empties the buffer and makes room for exactly <paramref name="bytes"/> to be received; false when a peer asks
    /// for more than the maximum. The content of the area is undefined until it has been filled.</summary>
    public bool TryReceive(long bytes, out Memory<byte> area)
    {
        _length = 0;
        area = default;
        if (bytes < 0 || bytes > _maximumBytes)
            return false;
        Grow((int)bytes);
        _length = (int)bytes;
        area = _bytes.AsMemory(0, _length);
        return true;
    }

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _bytes.Length - _length);
        CheckRoom(count);
        _length += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Grow(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Grow(Math.Max(sizeHint, 1));
        return _bytes.AsSpan(_length);
    }

    public void Dispose()
    {
        byte[] bytes = _bytes;
        _bytes = [];
        _length = 0;
        if (bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(bytes);
    }

    private Span<byte> Take(int bytes)
    {
        if (bytes > _bytes.Length - _length || bytes > _maximumBytes - _length)
            Grow(bytes);
        Span<byte> area = _bytes.AsSpan(_length, bytes);
        _length += bytes;
        return area;
    }

    private Span<byte> Written(int position, int bytes) => _bytes.AsSpan(0, _length).Slice(position, bytes);

    private void Grow(int bytes)
    {
        CheckRoom(bytes);
        if (bytes <= _bytes.Length - _length)
            return;
        int wanted = (int)Math.Min(_maximumBytes, Math.Max((long)_length + bytes, 2L * _bytes.Length));
        byte[] larger = ArrayPool<byte>.Shared.Rent(wanted);
        _bytes.AsSpan(0, _length).CopyTo(larger);
        if (_bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }

    private void CheckRoom(int bytes)
    {
        if (bytes > _maximumBytes - _length)
            throw new ChannelBufferFullException($"channel buffer: {_length} + {bytes} bytes pass the limit of {_maximumBytes}");
    }
}
