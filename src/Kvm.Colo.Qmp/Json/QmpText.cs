using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kvm.Colo.Qmp.Json;

/// <summary>Outgoing text: one JSON object in a line of ASCII, ended by CR LF.</summary>
internal static class QmpText
{
    /// <summary>Quotes stay readable; what is not ASCII is escaped by <see cref="ToLine"/>.</summary>
    public static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
        MaxDepth = 2048,
    };

    /// <summary>Reads requests: as deep as the message reader lets through, and a key only once.</summary>
    public static readonly JsonDocumentOptions DocumentOptions = new() { MaxDepth = 1025, AllowDuplicateProperties = false };

    /// <summary>A line from a JSON text in UTF-8.</summary>
    public static byte[] ToLine(ReadOnlySpan<byte> json)
    {
        if (Ascii.IsValid(json))
            return [.. json, (byte)'\r', (byte)'\n'];

        var line = new ArrayBufferWriter<byte>(json.Length * 2);
        Span<char> units = stackalloc char[2];
        while (!json.IsEmpty)
        {
            int plain = json.IndexOfAnyExceptInRange((byte)0, (byte)0x7F);
            plain = plain < 0 ? json.Length : plain;
            line.Write(json[..plain]);
            json = json[plain..];
            if (json.IsEmpty)
                break;
            _ = Rune.DecodeFromUtf8(json, out Rune rune, out int used);
            json = json[used..];
            foreach (char unit in units[..rune.EncodeToUtf16(units)])
                line.Write(Encoding.ASCII.GetBytes($"\\u{(int)unit:X4}"));
        }
        line.Write("\r\n"u8);
        return line.WrittenSpan.ToArray();
    }
}
