using System.Buffers.Binary;

namespace Kvm.Colo.Stream;

/// <summary>Reads big-endian fields from a borrowed span. The first failure sticks and later reads answer zero, so that a
/// codec reads all fields of a frame and asks for <see cref="Status"/> once.</summary>
internal ref struct StreamCursor(ReadOnlySpan<byte> source)
{
    private readonly ReadOnlySpan<byte> _source = source;

    /// <summary>Ok until a read ran past the end (NeedMoreData) or <see cref="Reject"/> was called (Malformed).</summary>
    public FrameStatus Status { get; private set; }

    /// <summary>Bytes read so far.</summary>
    public int Position { get; private set; }

    public readonly int Remaining => _source.Length - Position;

    public readonly bool Failed => Status != FrameStatus.Ok;

    public byte ReadU8()
    {
        ReadOnlySpan<byte> bytes = ReadBytes(1);
        return bytes.IsEmpty ? (byte)0 : bytes[0];
    }

    public ushort ReadU16()
    {
        ReadOnlySpan<byte> bytes = ReadBytes(sizeof(ushort));
        return bytes.IsEmpty ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(bytes);
    }

    public uint ReadU32()
    {
        ReadOnlySpan<byte> bytes = ReadBytes(sizeof(uint));
        return bytes.IsEmpty ? 0 : BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }

    public ulong ReadU64()
    {
        ReadOnlySpan<byte> bytes = ReadBytes(sizeof(ulong));
        return bytes.IsEmpty ? 0 : BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    public UInt128 ReadU128()
    {
        ReadOnlySpan<byte> bytes = ReadBytes(16);
        return bytes.IsEmpty ? UInt128.Zero : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    /// <summary>A view of the next <paramref name="count"/> bytes; empty after a failure. A count below 0 is Malformed.</summary>
    public ReadOnlySpan<byte> ReadBytes(int count)
    {
        if (Failed)
            return default;
        if (count < 0)
        {
            Status = FrameStatus.Malformed;
            return default;
        }

        if (count > Remaining)
        {
            Status = FrameStatus.NeedMoreData;
            return default;
        }

        ReadOnlySpan<byte> bytes = _source.Slice(Position, count);
        Position += count;
        return bytes;
    }

    /// <summary>A name in QEMU's short form: u8 length, then that many bytes. An empty or non-printable name is
    /// Malformed.</summary>
    public ReadOnlySpan<byte> ReadName()
    {
        int length = ReadU8();
        ReadOnlySpan<byte> name = ReadBytes(length);
        if (!Failed && !WireName.IsLegal(name))
            Status = FrameStatus.Malformed;
        return Failed ? default : name;
    }

    /// <summary>The next byte without consuming it.</summary>
    public readonly bool TryPeek(out byte value)
    {
        bool any = !Failed && Remaining > 0;
        value = any ? _source[Position] : (byte)0;
        return any;
    }

    /// <summary>Marks the frame as illegal unless it already failed.</summary>
    public void Reject()
    {
        if (!Failed)
            Status = FrameStatus.Malformed;
    }

    /// <summary>Rejects the frame when <paramref name="legal"/> is false.</summary>
    public void Require(bool legal)
    {
        if (!legal)
            Reject();
    }
}
