namespace Kvm.Colo.Stream;

/// <summary>Writes fields into a channel buffer, big-endian, without names.</summary>
internal sealed class SaveVisitor(ChannelBuffer target) : StateVisitor
{
    public override void U8(string name, ref byte value) => target.WriteU8(value);

    public override void U16(string name, ref ushort value) => target.WriteU16(value);

    public override void U32(string name, ref uint value) => target.WriteU32(value);

    public override void U64(string name, ref ulong value) => target.WriteU64(value);

    public override void I32(string name, ref int value) => target.WriteU32(unchecked((uint)value));

    public override void I64(string name, ref long value) => target.WriteU64(unchecked((ulong)value));

    public override void Bool(string name, ref bool value) => target.WriteU8(value ? (byte)1 : (byte)0);

    public override void Bytes(string name, Span<byte> value) => target.WriteBytes(value);

    public override void VariableBytes(string name, byte[] buffer, ref int length)
    {
        target.WriteU32((uint)length);
        target.WriteBytes(buffer.AsSpan(0, length));
    }

    public override void Count(string name, ref int value, int maximum)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, maximum, name);
        target.WriteU32((uint)value);
    }

    public override void U32Array(string name, Span<uint> values)
    {
        foreach (uint value in values)
            target.WriteU32(value);
    }

    public override void U64Array(string name, Span<ulong> values)
    {
        foreach (ulong value in values)
            target.WriteU64(value);
    }

    public override bool Subsection(string name, uint version, bool needed)
    {
        if (!needed)
            return false;
        target.WriteU8((byte)ElementKind.Subsection);
        target.WriteName(name);
        target.WriteU32(version);
        return true;
    }

    public override void EndSubsection()
    {
    }
}
