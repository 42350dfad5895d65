namespace Kvm.Colo.Stream;

/// <summary>Compares a state with the saved form of another and names the first field that differs: the difference between a
/// primary's and a secondary's device, or between a state and its reloaded copy.</summary>
internal sealed class CompareVisitor : StateVisitor, IDisposable
{
    private readonly ChannelBuffer _field = new();
    private readonly SaveVisitor _save;
    private ReadOnlyMemory<byte> _expected;
    private int _position;
    private string _prefix = "";

    public CompareVisitor() => _save = new SaveVisitor(_field);

    /// <summary>First field whose bytes differ, with both values in hex; null while all are equal.</summary>
    public string? Difference { get; private set; }

    /// <summary>Compares all fields; false with <see cref="Difference"/> set when one differs.</summary>
    /// <param name="state">The state to look at; not changed.</param>
    /// <param name="expected">A section body as <see cref="SaveVisitor"/> writes it.</param>
    public bool Compare(DeviceState state, ReadOnlyMemory<byte> expected)
    {
        _expected = expected;
        _position = 0;
        _prefix = "";
        Difference = null;
        state.Visit(this);
        if (Difference is null && _position != expected.Length)
            Difference = $"{expected.Length - _position} bytes are left over";
        return Difference is null;
    }

    public override void U8(string name, ref byte value)
    {
        _save.U8(name, ref value);
        Check(name);
    }

    public override void U16(string name, ref ushort value)
    {
        _save.U16(name, ref value);
        Check(name);
    }

    public override void U32(string name, ref uint value)
    {
        _save.U32(name, ref value);
        Check(name);
    }

    public override void U64(string name, ref ulong value)
    {
        _save.U64(name, ref value);
        Check(name);
    }

    public override void I32(string name, ref int value)
    {
        _save.I32(name, ref value);
        Check(name);
    }

    public override void I64(string name, ref long value)
    {
        _save.I64(name, ref value);
        Check(name);
    }

    public override void Bool(string name, ref bool value)
    {
        _save.Bool(name, ref value);
        Check(name);
    }

    public override void Bytes(string name, Span<byte> value)
    {
        _save.Bytes(name, value);
        Check(name);
    }

    public override void VariableBytes(string name, byte[] buffer, ref int length)
    {
        _save.VariableBytes(name, buffer, ref length);
        Check(name);
    }

    public override void Count(string name, ref int value, int maximum)
    {
        _save.Count(name, ref value, maximum);
        Check(name);
    }

    public override void U32Array(string name, Span<uint> values)
    {
        _save.U32Array(name, values);
        Check(name);
    }

    public override void U64Array(string name, Span<ulong> values)
    {
        _save.U64Array(name, values);
        Check(name);
    }

    public override bool Subsection(string name, uint version, bool needed)
    {
        bool present = _save.Subsection(name, version, needed);
        Check(name);
        return present;
    }

    public override void EndSubsection() => _save.EndSubsection();

    public override void Group(string name, int index) => _prefix = $"{name}[{index}].";

    public override void EndGroup() => _prefix = "";

    public void Dispose() => _field.Dispose();

    private void Check(string name)
    {
        ReadOnlySpan<byte> actual = _field.WrittenSpan;
        if (Difference is null)
        {
            ReadOnlySpan<byte> rest = _expected.Span[_position..];
            ReadOnlySpan<byte> expected = rest[..Math.Min(rest.Length, actual.Length)];
            if (!expected.SequenceEqual(actual))
                Difference = $"field '{_prefix}{name}': {Shorten(actual)}, expected {Shorten(expected)}";
            _position += expected.Length;
        }

        _field.Reset();
    }

    private static string Shorten(ReadOnlySpan<byte> bytes)
    {
        const int Shown = 32;
        return bytes.Length <= Shown ? Convert.ToHexStringLower(bytes) : Convert.ToHexStringLower(bytes[..Shown]) + "...";
    }
}
