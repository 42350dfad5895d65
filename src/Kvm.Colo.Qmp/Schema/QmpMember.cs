using System.Text.Json;

namespace Kvm.Colo.Qmp.Schema;

/// <summary>A named member of an object or a command's arguments.</summary>
internal abstract class QmpMember(string name, QmpType type, bool isOptional)
{
    public string Name { get; } = name;

    public QmpType Type { get; } = type;

    public bool IsOptional { get; } = isOptional;

    public QmpFeatures Features { get; init; }

    /// <summary>One line for the reference page; may be empty where the name says it.</summary>
    public string Doc { get; init; } = "";

    public abstract object? ReadBoxed(JsonElement value, QmpPath path);
}

/// <summary>A member with its CLR type; the key by which a handler takes its value.</summary>
internal class QmpMember<T>(string name, QmpType<T> type, bool isOptional) : QmpMember(name, type, isOptional)
{
    public new QmpType<T> Type { get; } = type;

    public override object? ReadBoxed(JsonElement value, QmpPath path) => Type.Read(value, path);
}
