namespace Kvm.Colo.Qmp.Schema;

/// <summary>An event: its schema and how often it may be sent.</summary>
internal abstract class QmpEvent(string name, string doc, QmpType? dataType)
{
    public string Name { get; } = name;

    public string Doc { get; } = doc;

    /// <summary>Null for an event without data.</summary>
    public QmpType? DataType { get; } = dataType;

    /// <summary>At most one in a second; the last one of a second is sent when it ends.</summary>
    public virtual bool IsRateLimited => false;
}

/// <summary>An event with data of one type.</summary>
internal sealed class QmpEvent<T>(string name, string doc, QmpObject<T>? data) : QmpEvent(name, doc, data)
{
    public QmpObject<T>? Data { get; } = data;

    /// <summary>Null for an unlimited event; else what is limited separately, null being an event never held back.</summary>
    public Func<T, string?>? RateKey { get; init; }

    public override bool IsRateLimited => RateKey is not null;
}
