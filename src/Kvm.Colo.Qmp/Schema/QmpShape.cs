using System.Text.Json;

namespace Kvm.Colo.Qmp.Schema;

/// <summary>An object type that has no CLR type of its own: a command's arguments, a branch of a union.</summary>
internal sealed class QmpShape(
    string name, IReadOnlyList<QmpMember> members, QmpMember? tag = null, IReadOnlyList<QmpBranch>? branches = null)
    : QmpType(name), IQmpObject
{
    /// <summary>What commands without arguments take, those without a result return, and events without data carry.</summary>
    public static QmpShape Empty { get; } = new("q_empty", []);

    public IReadOnlyList<QmpMember> Members => members;

    public QmpMember? Tag => tag;

    public IReadOnlyList<QmpBranch> Branches { get; } = branches ?? [];

    public override void Describe(Utf8JsonWriter writer, QmpTypeNumbers numbers) =>
        QmpSchemaText.WriteObject(writer, this, numbers);
}
