using System.Buffers.Binary;
using System.Globalization;

namespace Kvm.Colo.Net;

/// <summary>An Ethernet address; the first byte is the most significant of the 48 bits.</summary>
internal readonly record struct MacAddress
{
    public const int SizeBytes = 6;

    public MacAddress(ulong value) => Value = value & 0xFFFF_FFFF_FFFF;

    public static MacAddress Broadcast { get; } = new(ulong.MaxValue);

    public ulong Value { get; }

    public bool IsMulticast => (Value >> 40 & 1) != 0;

    public static MacAddress Read(ReadOnlySpan<byte> source) =>
        new(((ulong)BinaryPrimitives.ReadUInt16BigEndian(source) << 32) | BinaryPrimitives.ReadUInt32BigEndian(source[2..]));

    /// <summary>Six hexadecimal pairs with colons, of one station.</summary>
    public static bool TryParse(string text, out MacAddress address)
    {
        address = default;
        const int characters = (SizeBytes * 3) - 1;
        if (text.Length != characters)
            return false;
        ulong value = 0;
        for (int i = 0; i < characters; i += 3)
        {
            if (!byte.TryParse(text.AsSpan(i, 2), NumberStyles.AllowHexSpecifier, provider: null, out byte part)
                || (i + 2 < characters && text[i + 2] != ':'))
                return false;
            value = (value << 8) | part;
        }

        address = new MacAddress(value);
        return !address.IsMulticast && value != 0;
    }

    /// <summary>
    /// A locally administered address, always the same for one name: both hosts of a pair arrive at it on their own.
    /// </summary>
    public static MacAddress Derive(string name)
    {
        const uint offsetBasis = 2_166_136_261;
        const uint prime = 16_777_619;
        uint hash = offsetBasis;
        foreach (char character in name)
            hash = unchecked((hash ^ character) * prime);
        return new MacAddress((0x5254ul << 32) | hash);
    }

    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)(Value >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(destination[2..], (uint)Value);
    }

    public override string ToString() => string.Create((SizeBytes * 3) - 1, Value, static (text, value) =>
    {
        for (int i = 0; i < SizeBytes; i++)
        {
            ((byte)(value >> (8 * (SizeBytes - 1 - i)))).TryFormat(text[(3 * i)..], out _, "x2");
            if (i < SizeBytes - 1)
                text[(3 * i) + 2] = ':';
        }
    });
}
