using System.Buffers;
using System.Text;

namespace Kvm.Colo.Stream;

/// <summary>Names on the wire (sections, RAM blocks, subsections, machine types): 1 to 255 bytes of printable ASCII.</summary>
internal static class WireName
{
    public const int MaxBytes = 255;

    private const string Printable =
        " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";

    private static readonly SearchValues<byte> s_printableBytes = SearchValues.Create(Encoding.ASCII.GetBytes(Printable));
    private static readonly SearchValues<char> s_printable = SearchValues.Create(Printable);

    public static bool IsLegal(ReadOnlySpan<byte> name) =>
        name.Length is > 0 and <= MaxBytes && !name.ContainsAnyExcept(s_printableBytes);

    public static bool IsLegal(ReadOnlySpan<char> name) =>
        name.Length is > 0 and <= MaxBytes && !name.ContainsAnyExcept(s_printable);

    public static bool Matches(ReadOnlySpan<byte> wire, string name) => Ascii.Equals(wire, name);

    /// <summary>Our own names are literals or checked configuration: a bad one is a fault of this program.</summary>
    public static void ThrowIfIllegal(ReadOnlySpan<char> name)
    {
        if (!IsLegal(name))
            throw new ArgumentException($"'{name}' is no stream name (1 to {MaxBytes} printable ASCII characters)", nameof(name));
    }
}
