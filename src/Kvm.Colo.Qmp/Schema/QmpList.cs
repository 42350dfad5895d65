using System.Text.Json;

namespace Kvm.Colo.Qmp.Schema;

/// <summary>A list type, seen without its element's CLR type.</summary>
internal interface IQmpList
{
    QmpType ElementType { get; }
}

/// <summary>A list of one type.</summary>
internal sealed class QmpList<T>(QmpType<T> element) : QmpType<IReadOnlyList<T>>($"[{element.Name}]"), IQmpList
{
    public QmpType ElementType => element;

    public override string Identity => $"[{element.Identity}]";

    public override IReadOnlyList<T> Read(JsonElement value, QmpPath path)
    {
        if (value.ValueKind != JsonValueKind.Array)
            throw QmpErrors.WrongType(path.Full, "array");
        var items = new List<T>(value.GetArrayLength());
        foreach (JsonElement item in value.EnumerateArray())
            items.Add(element.Read(item, path.Element(items.Count)));
        return items;
    }

    public override void Write(Utf8JsonWriter writer, IReadOnlyList<T> value)
    {
        writer.WriteStartArray();
        foreach (T item in value)
            element.Write(writer, item);
        writer.WriteEndArray();
    }

    public override void Describe(Utf8JsonWriter writer, QmpTypeNumbers numbers)
    {
        writer.WriteString("meta-type"u8, "array"u8);
        writer.WriteString("element-type"u8, numbers[element]);
    }
}
