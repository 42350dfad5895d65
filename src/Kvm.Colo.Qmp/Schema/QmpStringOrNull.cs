using System.Text.Json;

namespace Kvm.Colo.Qmp.Schema;

/// <summary>QAPI <c>StrOrNull</c>: a string, or null to go back to the default. Read as null or the string.</summary>
internal sealed class QmpStringOrNull() : QmpType<string?>("StrOrNull")
{
    public override string? Read(JsonElement value, QmpPath path) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Null => null,
        _ => throw QmpErrors.WrongType(path.Full, "StrOrNull"),
    };

    public override void Write(Utf8JsonWriter writer, string? value) => writer.WriteStringValue(value);

    public override void Describe(Utf8JsonWriter writer, QmpTypeNumbers numbers)
    {
        writer.WriteString("meta-type"u8, "alternate"u8);
        writer.WriteStartArray("members"u8);
        foreach (QmpType type in (QmpType[])[QmpTypes.Str, QmpTypes.Null])
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, numbers[type]);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
