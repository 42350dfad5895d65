using System.Text.Json;

namespace Kvm.Colo.Qmp.Schema;

/// <summary>
/// All commands and events, in the order they are listed; the one source of dispatch, introspection and documents.
/// </summary>
internal sealed class QmpSchema
{
    private readonly Dictionary<string, QmpCommand> _byName = new(StringComparer.Ordinal);

    public QmpSchema(IEnumerable<QmpCommand> commands, IEnumerable<QmpEvent> events)
    {
        Commands = [.. commands];
        Events = [.. events];
        foreach (QmpCommand command in Commands)
            _byName.Add(command.Name, command);
    }

    public IReadOnlyList<QmpCommand> Commands { get; }

    public IReadOnlyList<QmpEvent> Events { get; }

    public QmpCommand? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Writes the result of <c>query-qmp-schema</c>.</summary>
    public void WriteIntrospection(Utf8JsonWriter writer)
    {
        var numbers = new QmpTypeNumbers();
        writer.WriteStartArray();
        foreach (QmpCommand command in Commands)
        {
            writer.WriteStartObject();
            writer.WriteString("name"u8, command.Name);
            writer.WriteString("meta-type"u8, "command"u8);
            writer.WriteString("arg-type"u8, numbers[command.ArgumentType]);
            writer.WriteString("ret-type"u8, numbers[command.Returns ?? QmpShape.Empty]);
            if (command.AllowsOutOfBand)
                writer.WriteBoolean("allow-oob"u8, value: true);
            QmpSchemaText.WriteFeatures(writer, command.Features);
            writer.WriteEndObject();
        }
        foreach (QmpEvent item in Events)
        {
            writer.WriteStartObject();
            writer.WriteString("name"u8, item.Name);
            writer.WriteString("meta-type"u8, "event"u8);
            writer.WriteString("arg-type"u8, numbers[item.DataType ?? QmpShape.Empty]);
            writer.WriteEndObject();
        }

        // Describing a type may meet new ones, which join the end of the list.
        for (int i = 0; i < numbers.Found.Count; i++)
        {
            QmpType type = numbers.Found[i];
            writer.WriteStartObject();
            writer.WriteString("name"u8, numbers[type]);
            type.Describe(writer, numbers);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
