using System.Text.Json;

namespace Kvm.Colo.Qmp.Schema;

/// <summary>A type of the schema: what <c>query-qmp-schema</c> tells of it and how the reference page calls it.</summary>
internal abstract class QmpType(string name)
{
    /// <summary>The QAPI name; clients see it for builtins only.</summary>
    public string Name { get; } = name;

    /// <summary>What introspection keys the type by: all integer types are one there.</summary>
    public virtual string Identity => Name;

    /// <summary>True when introspection shows the name instead of a number.</summary>
    public virtual bool IsBuiltin => false;

    /// <summary>Writes the members of its introspection entry, beginning with the meta type.</summary>
    public abstract void Describe(Utf8JsonWriter writer, QmpTypeNumbers numbers);
}

/// <summary>A type with values: one reader that validates and one writer.</summary>
internal abstract class QmpType<T>(string name) : QmpType(name)
{
    /// <summary>Reads and validates a value.</summary>
    /// <exception cref="QmpCommandException">The value is not of this type; the text is QEMU's.</exception>
    public abstract T Read(JsonElement value, QmpPath path);

    public abstract void Write(Utf8JsonWriter writer, T value);
}
