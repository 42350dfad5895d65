using System.Globalization;
using System.Text.Json;

namespace Kvm.Colo.Qmp.Schema;

/// <summary>The builtin types and the makers of lists.</summary>
internal static class QmpTypes
{
    public static readonly QmpType<string> Str = new QmpBuiltin<string>("str", "str", "string", ReadString,
        static (writer, value) => writer.WriteStringValue(value));

    public static readonly QmpType<bool> Bool = new QmpBuiltin<bool>("bool", "bool", "boolean",
        static (value, path) => value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : throw QmpErrors.WrongType(path.Full, "boolean"),
        static (writer, value) => writer.WriteBooleanValue(value));

    public static readonly QmpType<double> Number = new QmpBuiltin<double>("number", "number", "number",
        static (value, path) => value.ValueKind == JsonValueKind.Number
            ? value.GetDouble()
            : throw QmpErrors.WrongType(path.Full, "number"),
        static (writer, value) => writer.WriteNumberValue(double.IsFinite(value) ? value : 0));

    public static readonly QmpType<long> Int = new QmpBuiltin<long>("int", "int", "int", ReadInt64, WriteInt64);

    public static readonly QmpType<ulong> UInt64 = new QmpBuiltin<ulong>("uint64", "int", "int", ReadUInt64, WriteUInt64);

    public static readonly QmpType<ulong> Size = new QmpBuiltin<ulong>("size", "int", "int", ReadUInt64, WriteUInt64);

    public static readonly QmpType<uint> UInt32 = new QmpBuiltin<uint>("uint32", "int", "int",
        static (value, path) => (uint)ReadUnsigned(value, path, uint.MaxValue, "uint32_t"),
        static (writer, value) => writer.WriteNumberValue(value));

    public static readonly QmpType<byte> UInt8 = new QmpBuiltin<byte>("uint8", "int", "int",
        static (value, path) => (byte)ReadUnsigned(value, path, byte.MaxValue, "uint8_t"),
        static (writer, value) => writer.WriteNumberValue(value));

    /// <summary>Anything: read as a <see cref="JsonElement"/>, written from a string, bool, number or JSON element.</summary>
    public static readonly QmpType<object> Any = new QmpBuiltin<object>("any", "any", "value",
        static (value, _) => value, WriteAny);

    public static readonly QmpType<object?> Null = new QmpBuiltin<object?>("null", "null", "null",
        static (value, path) => value.ValueKind == JsonValueKind.Null ? null : throw QmpErrors.WrongType(path.Full, "null"),
        static (writer, _) => writer.WriteNullValue());

    public static QmpType<IReadOnlyList<T>> ListOf<T>(QmpType<T> element) => new QmpList<T>(element);

    private static string ReadString(JsonElement value, QmpPath path) => value.ValueKind == JsonValueKind.String
        ? value.GetString()!
        : throw QmpErrors.WrongType(path.Full.Length == 0 ? "null" : path.Full, "string");

    private static long ReadInt64(JsonElement value, QmpPath path) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number)
            ? number
            : throw QmpErrors.WrongType(path.Full, "integer");

    private static void WriteInt64(Utf8JsonWriter writer, long value) => writer.WriteNumberValue(value);

    private static void WriteUInt64(Utf8JsonWriter writer, ulong value) => writer.WriteNumberValue(value);

    /// <summary>A negative number wraps, as QEMU's does for the sake of old clients; ranges are checked after it.</summary>
    private static ulong ReadUInt64(JsonElement value, QmpPath path)
    {
        if (value.ValueKind == JsonValueKind.Number)
        {
            if (value.TryGetUInt64(out ulong number))
                return number;
            if (value.TryGetInt64(out long negative))
                return (ulong)negative;
        }
        throw QmpErrors.Expects(path.Full, "uint64");
    }

    private static ulong ReadUnsigned(JsonElement value, QmpPath path, ulong max, string type)
    {
        ulong number = ReadUInt64(value, path);
        return number <= max ? number : throw QmpErrors.Expects(path.Last ?? "null", type);
    }

    private static void WriteAny(Utf8JsonWriter writer, object value)
    {
        switch (value)
        {
            case JsonElement element:
                element.WriteTo(writer);
                break;
            case string text:
                writer.WriteStringValue(text);
                break;
            case bool flag:
                writer.WriteBooleanValue(flag);
                break;
            case ulong number:
                writer.WriteNumberValue(number);
                break;
            case double number:
                writer.WriteNumberValue(double.IsFinite(number) ? number : 0);
                break;
            case IConvertible number:
                writer.WriteNumberValue(number.ToInt64(CultureInfo.InvariantCulture));
                break;
            default:
                throw new ArgumentException($"no JSON form for {value.GetType().Name}", nameof(value));
        }
    }
}
