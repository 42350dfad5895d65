using System.Text;

namespace Kvm.Colo.Stream;

/// <summary>Names on the wire (sections, RAM blocks, subsections, machine types): 1 to 255 bytes of printable ASCII.</summary>
internal static class WireName
{
    public const int MaxBytes = 255;

    public static bool IsLegal(ReadOnlySpan<byte> name) =>
        name.Length is > 0 and <= MaxBytes && !name.ContainsAnyExceptInRange((byte)0x20, (byte)0x7E);

    public static bool IsLegal(ReadOnlySpan<char> name) =>
        name.Length is > 0 and <= MaxBytes && !name.ContainsAnyExceptInRange('\x20', '\x7E');

    public static bool Matches(ReadOnlySpan<byte> wire, string name) => Ascii.Equals(wire, name);

    /// <summary>Our own names are literals or checked configuration: a bad one is a fault of this program.</summary>
    public static void ThrowIfIllegal(ReadOnlySpan<char> name)
    {
        if (!IsLegal(name))
            throw new ArgumentException($"'{name}' is not a stream name (1 to {MaxBytes} printable ASCII characters)", nameof(name));
    }
}
