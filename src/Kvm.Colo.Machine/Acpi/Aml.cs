using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Kvm.Colo.Machine.Acpi;

/// <summary>
/// Encoder of the part of ACPI machine language this machine needs (ACPI 6.5, chapter 20). Terms nest by value; each encoder
/// writes its own opcode and package length, so a wrong length cannot be composed.
/// </summary>
internal static class Aml
{
    private const byte ExtendedPrefix = 0x5B;
    private const byte SystemIoSpace = 0x01;
    private const byte ByteAccess = 0x01;
    private const byte SerializedMethod = 0x08;

    public static AmlValue Local0 { get; } = new((byte[])[0x60]);

    public static AmlValue Integer(ulong value)
    {
        byte[] bytes = new byte[9];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(1), value);
        (byte prefix, int length) = value switch
        {
            0 => ((byte)0x00, 0),
            1 => ((byte)0x01, 0),
            <= byte.MaxValue => ((byte)0x0A, 1),
            <= ushort.MaxValue => ((byte)0x0B, 2),
            <= uint.MaxValue => ((byte)0x0C, 4),
            _ => ((byte)0x0E, 8),
        };
        bytes[0] = prefix;
        return new AmlValue(bytes.AsMemory(0, 1 + length));
    }

    public static AmlValue Text(string value)
    {
        if (!Ascii.IsValid(value) || value.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException($"'{value}' is no AML string", nameof(value));
        return new AmlValue((byte[])[0x0D, .. Encoding.ASCII.GetBytes(value), 0]);
    }

    /// <summary>A compressed hardware id such as PNP0501: three letters of 5 bits, four hexadecimal digits, big-endian.</summary>
    public static AmlValue EisaId(string id)
    {
        if (id.Length != 7 || id.AsSpan(0, 3).ContainsAnyExceptInRange('A', 'Z')
            || !ushort.TryParse(id.AsSpan(3), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort product))
            throw new ArgumentException($"'{id}' is no EISA id", nameof(id));
        uint maker = (uint)(((id[0] - '@') << 10) | ((id[1] - '@') << 5) | (id[2] - '@'));
        return Integer(BinaryPrimitives.ReverseEndianness((maker << 16) | product));
    }

    public static AmlValue Package(params ReadOnlySpan<AmlValue> elements)
    {
        MemoryStream body = new();
        body.WriteByte(checked((byte)elements.Length));
        foreach (AmlValue element in elements)
            body.Write(element.Bytes.Span);
        return new AmlValue(WithLength([0x12], body));
    }

    public static AmlValue Buffer(ReadOnlySpan<byte> content)
    {
        MemoryStream body = new();
        body.Write(Integer((ulong)content.Length).Bytes.Span);
        body.Write(content);
        return new AmlValue(WithLength([0x11], body));
    }

    /// <summary>The value of a _CRS: the descriptors and the end tag.</summary>
    public static AmlValue Resources(params ReadOnlySpan<AmlResource> resources)
    {
        MemoryStream content = new();
        foreach (AmlResource resource in resources)
            content.Write(resource.Bytes.Span);
        content.Write([0x79, 0x00]);
        return Buffer(content.ToArray());
    }

    public static AmlValue And(AmlValue left, AmlValue right) =>
        new((byte[])[0x7B, .. left.Bytes.Span, .. right.Bytes.Span, 0x00]);

    /// <summary>A reference to a named object.</summary>
    public static AmlValue Reference(string path) => new(NameString(path));

    public static AmlTerm Name(string path, AmlValue value) => new((byte[])[0x08, .. NameString(path), .. value.Bytes.Span]);

    public static AmlTerm Scope(string path, params ReadOnlySpan<AmlTerm> body) => Block([0x10], NameString(path), body);

    public static AmlTerm Device(string name, params ReadOnlySpan<AmlTerm> body) =>
        Block([ExtendedPrefix, 0x82], NameString(name), body);

    /// <summary>A method that no two threads run at once.</summary>
    public static AmlTerm Method(string name, int argumentCount, params ReadOnlySpan<AmlTerm> body)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)argumentCount, 7u);
        return Block([0x14], [.. NameString(name), (byte)(argumentCount | SerializedMethod)], body);
    }

    public static AmlTerm If(AmlValue condition, params ReadOnlySpan<AmlTerm> body) => Block([0xA0], condition.Bytes.Span, body);

    public static AmlTerm Store(AmlValue source, AmlValue target) =>
        new((byte[])[0x70, .. source.Bytes.Span, .. target.Bytes.Span]);

    public static AmlTerm Notify(string path, byte value) =>
        new((byte[])[0x86, .. NameString(path), .. Integer(value).Bytes.Span]);

    /// <summary>An operation region of I/O ports.</summary>
    public static AmlTerm PortRegion(string name, ushort start, byte count) =>
        new((byte[])
        [
            ExtendedPrefix, 0x80, .. NameString(name), SystemIoSpace, .. Integer(start).Bytes.Span, .. Integer(count).Bytes.Span,
        ]);

    /// <summary>One field of 8 bits at the start of a region, accessed bytewise.</summary>
    public static AmlTerm ByteField(string region, string field)
    {
        MemoryStream body = new();
        body.Write(NameString(region));
        body.WriteByte(ByteAccess);
        body.Write(NameSegment(field));
        body.WriteByte(8);
        return new AmlTerm(WithLength([ExtendedPrefix, 0x81], body));
    }

    /// <summary>All terms in a row: the body of a definition block.</summary>
    public static byte[] Encode(params ReadOnlySpan<AmlTerm> terms)
    {
        MemoryStream body = new();
        foreach (AmlTerm term in terms)
            body.Write(term.Bytes.Span);
        return body.ToArray();
    }

    /// <summary>Encodes a package length, which counts itself (section 20.2.4).</summary>
    public static byte[] PackageLength(int contentBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(contentBytes);
        int total = contentBytes + 1;
        if (total <= 0x3F)
            return [(byte)total];
        for (int more = 1; more <= 3; more++)
        {
            total = contentBytes + 1 + more;
            if (total >= 1 << (4 + (8 * more)))
                continue;
            byte[] bytes = new byte[1 + more];
            bytes[0] = (byte)((more << 6) | (total & 0xF));
            for (int i = 0; i < more; i++)
                bytes[1 + i] = (byte)(total >> (4 + (8 * i)));
            return bytes;
        }

        throw new ArgumentOutOfRangeException(nameof(contentBytes), $"{contentBytes} bytes in one AML package");
    }

    private static AmlTerm Block(ReadOnlySpan<byte> opcode, ReadOnlySpan<byte> head, ReadOnlySpan<AmlTerm> terms)
    {
        MemoryStream body = new();
        body.Write(head);
        body.Write(Encode(terms));
        return new AmlTerm(WithLength(opcode, body));
    }

    private static byte[] WithLength(ReadOnlySpan<byte> opcode, MemoryStream body) =>
        [.. opcode, .. PackageLength(checked((int)body.Length)), .. body.ToArray()];

    private static byte[] NameString(string path)
    {
        int prefixes = 0;
        while (prefixes < path.Length && path[prefixes] is '\\' or '^')
            prefixes++;
        string[] segments = path[prefixes..].Split('.', StringSplitOptions.RemoveEmptyEntries);
        MemoryStream name = new();
        name.Write(Encoding.ASCII.GetBytes(path[..prefixes]));
        if (segments.Length == 2)
            name.WriteByte(0x2E);
        else if (segments.Length > 2)
            name.Write([0x2F, checked((byte)segments.Length)]);
        foreach (string segment in segments)
            name.Write(NameSegment(segment));
        if (segments.Length == 0)
            name.WriteByte(0x00);
        return name.ToArray();
    }

    private static byte[] NameSegment(string segment)
    {
        bool isLegal = segment.Length is >= 1 and <= 4 && segment[0] is (>= 'A' and <= 'Z') or '_';
        foreach (char c in segment)
            isLegal &= c is (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '_';
        if (!isLegal)
            throw new ArgumentException($"'{segment}' is no AML name", nameof(segment));
        return Encoding.ASCII.GetBytes(segment.PadRight(4, '_'));
    }
}
