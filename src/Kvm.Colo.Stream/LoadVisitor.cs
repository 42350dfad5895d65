using System.Buffers.Binary;

namespace Kvm.Colo.Stream;

/// <summary>Reads fields from a peer's bytes into a staged state. A failure sticks, later fields keep their values, nothing is
/// thrown. Reused for every section of a session.</summary>
internal sealed class LoadVisitor : StateVisitor
{
    private ReadOnlyMemory<byte> _source;
    private string? _group;
    private int _groupIndex;

    public FrameStatus Status { get; private set; }

    /// <summary>Which field failed and how; null while Ok.</summary>
    public string? Reason { get; private set; }

    /// <summary>Offset in the source of the next byte to read.</summary>
    public int Position { get; private set; }

    /// <summary>Starts at <paramref name="position"/>; a body has no length, it ends where its device stops reading.</summary>
    public void Reset(ReadOnlyMemory<byte> source, int position)
    {
        _source = source;
        Position = position;
        Status = FrameStatus.Ok;
        Reason = null;
        _group = null;
    }

    public override void U8(string name, ref byte value)
    {
        if (TryTake(name, 1, out ReadOnlySpan<byte> bytes))
            value = bytes[0];
    }

    public override void U16(string name, ref ushort value)
    {
        if (TryTake(name, sizeof(ushort), out ReadOnlySpan<byte> bytes))
            value = BinaryPrimitives.ReadUInt16BigEndian(bytes);
    }

    public override void U32(string name, ref uint value)
    {
        if (TryTake(name, sizeof(uint), out ReadOnlySpan<byte> bytes))
            value = BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }

    public override void U64(string name, ref ulong value)
    {
        if (TryTake(name, sizeof(ulong), out ReadOnlySpan<byte> bytes))
            value = BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    public override void I32(string name, ref int value)
    {
        if (TryTake(name, sizeof(int), out ReadOnlySpan<byte> bytes))
            value = BinaryPrimitives.ReadInt32BigEndian(bytes);
    }

    public override void I64(string name, ref long value)
    {
        if (TryTake(name, sizeof(long), out ReadOnlySpan<byte> bytes))
            value = BinaryPrimitives.ReadInt64BigEndian(bytes);
    }

    public override void Bool(string name, ref bool value)
    {
        if (!TryTake(name, 1, out ReadOnlySpan<byte> bytes))
            return;
        if (bytes[0] > 1)
            Fail(FrameStatus.Malformed, name, "is neither 0 nor 1");
        else
            value = bytes[0] == 1;
    }

    public override void Bytes(string name, Span<byte> value)
    {
        if (TryTake(name, value.Length, out ReadOnlySpan<byte> bytes))
            bytes.CopyTo(value);
    }

    public override void VariableBytes(string name, byte[] buffer, ref int length)
    {
        if (!TryTakeCount(name, buffer.Length, out int count) || !TryTake(name, count, out ReadOnlySpan<byte> bytes))
            return;
        bytes.CopyTo(buffer);
        length = count;
    }

    public override void Count(string name, ref int value, int maximum)
    {
        if (TryTakeCount(name, maximum, out int count))
            value = count;
    }

    public override void U32Array(string name, Span<uint> values)
    {
        if (!TryTake(name, checked(values.Length * sizeof(uint)), out ReadOnlySpan<byte> bytes))
            return;
        for (int index = 0; index < values.Length; index++)
            values[index] = BinaryPrimitives.ReadUInt32BigEndian(bytes[(index * sizeof(uint))..]);
    }

    public override void U64Array(string name, Span<ulong> values)
    {
        if (!TryTake(name, checked(values.Length * sizeof(ulong)), out ReadOnlySpan<byte> bytes))
            return;
        for (int index = 0; index < values.Length; index++)
            values[index] = BinaryPrimitives.ReadUInt64BigEndian(bytes[(index * sizeof(ulong))..]);
    }

    public override bool Subsection(string name, uint version, bool needed)
    {
        if (Status != FrameStatus.Ok)
            return false;
        var cursor = new StreamCursor(_source.Span[Position..]);
        if (!cursor.TryPeek(out byte marker))
        {
            Fail(FrameStatus.NeedMoreData, name, "is cut off");
            return false;
        }

        if (marker != (byte)ElementKind.Subsection)
            return false;
        cursor.ReadU8();
        ReadOnlySpan<byte> found = cursor.ReadName();
        if (!cursor.Failed && !WireName.Matches(found, name))
            return false;
        uint got = cursor.ReadU32();
        if (cursor.Failed)
        {
            Fail(cursor.Status, name, cursor.Status == FrameStatus.NeedMoreData ? "is cut off" : "has an illegal name");
            return false;
        }

        if (got != version)
        {
            Fail(FrameStatus.Malformed, name, "has another version");
            return false;
        }

        Position += cursor.Position;
        return true;
    }

    public override void EndSubsection()
    {
    }

    public override void Group(string name, int index)
    {
        _group = name;
        _groupIndex = index;
    }

    public override void EndGroup() => _group = null;

    private bool TryTakeCount(string name, int maximum, out int count)
    {
        count = 0;
        if (!TryTake(name, sizeof(uint), out ReadOnlySpan<byte> bytes))
            return false;
        uint read = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        if (read > (uint)maximum)
        {
            Fail(FrameStatus.Malformed, name, "is larger than its limit");
            return false;
        }

        count = (int)read;
        return true;
    }

    private bool TryTake(string name, int bytes, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        if (Status != FrameStatus.Ok)
            return false;
        if (_source.Length - Position < bytes)
        {
            Fail(FrameStatus.NeedMoreData, name, "is cut off");
            return false;
        }

        taken = _source.Span.Slice(Position, bytes);
        Position += bytes;
        return true;
    }

    private void Fail(FrameStatus status, string name, string what)
    {
        Status = status;
        Reason = _group is null ? $"field '{name}' {what}" : $"field '{_group}[{_groupIndex}].{name}' {what}";
    }
}
