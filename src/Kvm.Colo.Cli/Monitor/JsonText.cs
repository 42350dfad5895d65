using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kvm.Colo.Cli.Monitor;

/// <summary>JSON for people: every letter as it is.</summary>
internal static class JsonText
{
    public static JsonWriterOptions LineOptions { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static JsonWriterOptions PrettyOptions { get; } =
        new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Pretty(JsonElement value) => Write(value, PrettyOptions);

    /// <summary>An answer of the monitor: on one line, or indented for people.</summary>
    public static string Answer(JsonElement value, bool onOneLine) => onOneLine ? Line(value) : Pretty(value);

    public static string Line(JsonElement value) => Write(value, LineOptions);

    private static string Write(JsonElement value, JsonWriterOptions options)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer, options))
            value.WriteTo(writer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
