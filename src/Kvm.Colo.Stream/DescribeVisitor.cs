using System.Text.Json;

namespace Kvm.Colo.Stream;

/// <summary>Emits the fields of one state as the JSON that QEMU puts at the end of a stream (vmdescription): "fields" and
/// "subsections" arrays inside the object the caller has opened. Not for a hot path.</summary>
internal sealed class DescribeVisitor(Utf8JsonWriter json) : StateVisitor
{
    private readonly Stack<bool> _open = [];
    private bool _inSubsections;
    private int _bytes;
    private int _groupStart = -1;

    /// <summary>Begins the fields of a device or subsection.</summary>
    public void Begin()
    {
        _open.Push(_inSubsections);
        _inSubsections = false;
        json.WriteStartArray("fields"u8);
    }

    /// <summary>Ends the arrays that <see cref="Begin"/> and the subsections opened.</summary>
    public void End()
    {
        json.WriteEndArray();
        _inSubsections = _open.Pop();
    }

    public override void U8(string name, ref byte value) => Field(name, "uint8", sizeof(byte));

    public override void U16(string name, ref ushort value) => Field(name, "uint16", sizeof(ushort));

    public override void U32(string name, ref uint value) => Field(name, "uint32", sizeof(uint));

    public override void U64(string name, ref ulong value) => Field(name, "uint64", sizeof(ulong));

    public override void I32(string name, ref int value) => Field(name, "int32", sizeof(int));

    public override void I64(string name, ref long value) => Field(name, "int64", sizeof(long));

    public override void Bool(string name, ref bool value) => Field(name, "bool", 1);

    public override void Bytes(string name, Span<byte> value) => Field(name, "buffer", value.Length);

    public override void VariableBytes(string name, byte[] buffer, ref int length)
    {
        Field(name + "_length", "uint32", sizeof(uint));
        Field(name, "buffer", length);
    }

    public override void Count(string name, ref int value, int maximum) => Field(name, "uint32", sizeof(uint));

    public override void U32Array(string name, Span<uint> values) => Field(name, "uint32", sizeof(uint), values.Length);

    public override void U64Array(string name, Span<ulong> values) => Field(name, "uint64", sizeof(ulong), values.Length);

    public override bool Subsection(string name, uint version, bool needed)
    {
        if (!needed)
            return false;
        if (!_inSubsections)
        {
            json.WriteEndArray();
            json.WriteStartArray("subsections"u8);
            _inSubsections = true;
        }

        json.WriteStartObject();
        json.WriteString("vmsd_name"u8, name);
        json.WriteNumber("version"u8, version);
        Begin();
        return true;
    }

    public override void EndSubsection()
    {
        End();
        json.WriteEndObject();
    }

    public override void Group(string name, int index)
    {
        if (_groupStart >= 0)
            throw new InvalidOperationException($"group '{name}' stands inside another group");
        json.WriteStartObject();
        json.WriteString("name"u8, name);
        json.WriteNumber("index"u8, index);
        json.WriteString("type"u8, "struct"u8);
        json.WriteStartObject("struct"u8);
        json.WriteString("vmsd_name"u8, name);
        json.WriteNumber("version"u8, 1);
        Begin();
        _groupStart = _bytes;
    }

    public override void EndGroup()
    {
        End();
        json.WriteEndObject();
        json.WriteNumber("size"u8, _bytes - _groupStart);
        _groupStart = -1;
        json.WriteEndObject();
    }

    private void Field(string name, string type, int size, int? arrayLength = null)
    {
        if (_inSubsections)
            throw new InvalidOperationException($"field '{name}' stands after a subsection and could not be told from one");
        if (arrayLength == 0)
            return;
        json.WriteStartObject();
        json.WriteString("name"u8, name);
        if (arrayLength is { } count)
            json.WriteNumber("array_len"u8, count);
        json.WriteString("type"u8, type);
        json.WriteNumber("size"u8, size);
        json.WriteEndObject();
        _bytes += size * (arrayLength ?? 1);
    }
}
