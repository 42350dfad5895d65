using System.Text.Json;

namespace Kvm.Colo.Qmp.Schema;

/// <summary>A builtin type: a JSON scalar, or anything.</summary>
internal sealed class QmpBuiltin<T>(
    string name, string identity, string jsonType, Func<JsonElement, QmpPath, T> read, Action<Utf8JsonWriter, T> write)
    : QmpType<T>(name)
{
    public override string Identity { get; } = identity;

    public override bool IsBuiltin => true;

    public override T Read(JsonElement value, QmpPath path) => read(value, path);

    public override void Write(Utf8JsonWriter writer, T value) => write(writer, value);

    public override void Describe(Utf8JsonWriter writer, QmpTypeNumbers numbers)
    {
        writer.WriteString("meta-type"u8, "builtin"u8);
        writer.WriteString("json-type"u8, jsonType);
    }
}
