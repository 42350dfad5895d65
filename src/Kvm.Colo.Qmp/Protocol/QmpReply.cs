using System.Buffers;
using System.Text.Json;
using Kvm.Colo.Qmp.Json;

namespace Kvm.Colo.Qmp.Protocol;

/// <summary>Makes the lines that answer a request.</summary>
internal static class QmpReply
{
    /// <summary>A reply whose value the callback writes; an exception of the callback leaves nothing behind.</summary>
    public static byte[] Return<TState>(QmpRequest request, TState state, Action<Utf8JsonWriter, TState> writeValue) =>
        Write(request, (state, writeValue), static (writer, pair) =>
        {
            writer.WritePropertyName("return"u8);
            pair.writeValue(writer, pair.state);
        });

    public static byte[] Error(QmpRequest? request, QmpErrorClass errorClass, string description) =>
        Write(request, (errorClass, description), static (writer, error) =>
        {
            writer.WriteStartObject("error"u8);
            writer.WriteString("class"u8, QmpErrors.NameOf(error.errorClass));
            writer.WriteString("desc"u8, error.description);
            writer.WriteEndObject();
        });

    private static byte[] Write<TState>(QmpRequest? request, TState state, Action<Utf8JsonWriter, TState> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, QmpText.WriterOptions))
        {
            writer.WriteStartObject();
            write(writer, state);
            if (request is not null && request.TryGetMember("id", out JsonElement id))
            {
                writer.WritePropertyName("id"u8);
                writer.WriteRawValue(id.GetRawText(), skipInputValidation: true);
            }
            writer.WriteEndObject();
        }
        return QmpText.ToLine(buffer.WrittenSpan);
    }
}
