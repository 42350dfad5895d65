using System.Text.Json;

namespace Kvm.Colo.Qmp.Schema;

/// <summary>A member of an object that is written from <typeparamref name="TOwner"/>.</summary>
internal interface IQmpField<in TOwner>
{
    QmpMember Member { get; }

    void Write(Utf8JsonWriter writer, TOwner owner);
}

/// <summary>A member with the getter that writes it; the getter says whether there is a value.</summary>
internal sealed class QmpField<TOwner, T>(string name, QmpType<T> type, bool isOptional, QmpField<TOwner, T>.Getter get)
    : QmpMember<T>(name, type, isOptional), IQmpField<TOwner>
{
    public delegate bool Getter(TOwner owner, out T value);

    public QmpMember Member => this;

    public void Write(Utf8JsonWriter writer, TOwner owner)
    {
        if (!get(owner, out T value))
            return;
        writer.WritePropertyName(Name);
        Type.Write(writer, value);
    }
}
