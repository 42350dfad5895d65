using System.Text.Json;

namespace Kvm.Colo.Qmp.Schema;

/// <summary>An object type, seen without its CLR type.</summary>
internal interface IQmpObject
{
    IReadOnlyList<QmpMember> Members { get; }

    /// <summary>The member that chooses among <see cref="Branches"/>; null for a plain object.</summary>
    QmpMember? Tag { get; }

    IReadOnlyList<QmpBranch> Branches { get; }
}

/// <summary>The members an object has besides its common ones when its tag has a certain value.</summary>
internal sealed record QmpBranch(string Case, IQmpObject Type);

/// <summary>
/// An object: one list of members for reading, writing and introspection. A tagged union has branches, which are objects over
/// the same CLR type and stand flat beside the common members.
/// </summary>
internal sealed class QmpObject<T>(string name, Func<QmpValues, T>? create, params IQmpField<T>[] fields)
    : QmpType<T>(name), IQmpObject
{
    private (string Case, QmpObject<T> Type)[] _branches = [];
    private Func<T, string>? _tagOf;

    public IReadOnlyList<QmpMember> Members { get; } = [.. fields.Select(field => field.Member)];

    public QmpMember? Tag { get; private init; }

    public IReadOnlyList<QmpBranch> Branches { get; private init; } = [];

    /// <summary>The same object with branches chosen by one of its members.</summary>
    public QmpObject<T> Union(QmpMember tag, Func<T, string> tagOf, params (string Case, QmpObject<T> Type)[] branches) =>
        new(Name, create, fields)
        {
            Tag = tag,
            Branches = [.. branches.Select(branch => new QmpBranch(branch.Case, branch.Type))],
            _branches = branches,
            _tagOf = tagOf,
        };

    public override T Read(JsonElement value, QmpPath path) => QmpValues.ReadObject(value, path, this,
        create ?? throw new InvalidOperationException($"{Name} is never an argument"));

    public override void Write(Utf8JsonWriter writer, T value)
    {
        writer.WriteStartObject();
        WriteMembers(writer, value);
        writer.WriteEndObject();
    }

    public override void Describe(Utf8JsonWriter writer, QmpTypeNumbers numbers) =>
        QmpSchemaText.WriteObject(writer, this, numbers);

    private void WriteMembers(Utf8JsonWriter writer, T value)
    {
        foreach (IQmpField<T> field in fields)
            field.Write(writer, value);
        if (_tagOf is null)
            return;
        string tag = _tagOf(value);
        Array.Find(_branches, branch => branch.Case == tag).Type?.WriteMembers(writer, value);
    }
}
