using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Kvm.Colo.Qmp.Schema;

/// <summary>An enum type, seen without its CLR type.</summary>
internal interface IQmpEnum
{
    IReadOnlyList<string> Names { get; }

    /// <summary>Names that may change or go away.</summary>
    IReadOnlySet<string> Unstable { get; }
}

/// <summary>
/// An enum: its names stand in the order of the CLR enum's values 0, 1, 2…, so that nothing needs to look at that type at run time.
/// </summary>
internal sealed class QmpEnum<T> : QmpType<T>, IQmpEnum
    where T : struct, Enum
{
    private readonly T[] _values;

    public QmpEnum(string name, params string[] names) : base(name)
    {
        _values = [.. Enumerable.Range(0, names.Length).Select(static value => Unsafe.BitCast<int, T>(value))];
        Names = names;
    }

    public IReadOnlyList<string> Names { get; }

    public IReadOnlyList<T> Values => _values;

    public IReadOnlySet<string> Unstable { get; init; } = new HashSet<string>(StringComparer.Ordinal);

    public string NameOf(T value) => Names[Unsafe.BitCast<T, int>(value)];

    public bool TryParse(string name, out T value)
    {
        for (int i = 0; i < Names.Count; i++)
        {
            if (Names[i] == name)
            {
                value = _values[i];
                return true;
            }
        }
        value = default;
        return false;
    }

    public override T Read(JsonElement value, QmpPath path)
    {
        string name = QmpTypes.Str.Read(value, path);
        return TryParse(name, out T parsed) ? parsed : throw QmpErrors.WrongValue(path.Last ?? "null", name);
    }

    public override void Write(Utf8JsonWriter writer, T value) => writer.WriteStringValue(NameOf(value));

    public override void Describe(Utf8JsonWriter writer, QmpTypeNumbers numbers)
    {
        writer.WriteString("meta-type"u8, "enum"u8);
        writer.WriteStartArray("members"u8);
        foreach (string name in Names)
        {
            writer.WriteStartObject();
            writer.WriteString("name"u8, name);
            if (Unstable.Contains(name))
                QmpSchemaText.WriteFeatures(writer, QmpFeatures.Unstable);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteStartArray("values"u8);
        foreach (string name in Names)
            writer.WriteStringValue(name);
        writer.WriteEndArray();
    }
}
