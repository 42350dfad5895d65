using System.Text.Json;

namespace Kvm.Colo.Qmp.Schema;

/// <summary>An object that is only ever an argument: a shape and what is made of it.</summary>
internal sealed class QmpArgumentObject<T>(QmpShape shape, Func<QmpValues, T> create) : QmpType<T>(shape.Name), IQmpObject
{
    public IReadOnlyList<QmpMember> Members => shape.Members;

    public QmpMember? Tag => shape.Tag;

    public IReadOnlyList<QmpBranch> Branches => shape.Branches;

    public override T Read(JsonElement value, QmpPath path) => QmpValues.ReadObject(value, path, this, create);

    public override void Write(Utf8JsonWriter writer, T value) =>
        throw new InvalidOperationException($"{Name} is never a result");

    public override void Describe(Utf8JsonWriter writer, QmpTypeNumbers numbers) =>
        QmpSchemaText.WriteObject(writer, this, numbers);
}
