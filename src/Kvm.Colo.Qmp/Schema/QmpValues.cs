using System.Text.Json;

namespace Kvm.Colo.Qmp.Schema;

/// <summary>Validated members of one object, by the member that declared them.</summary>
internal sealed class QmpValues
{
    private readonly Dictionary<QmpMember, object?> _values = [];
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public bool Has(QmpMember member) => _values.ContainsKey(member);

    /// <summary>Value of a member that is present: a mandatory one always is.</summary>
    public T Get<T>(QmpMember<T> member) => (T)_values[member]!;

    public T Get<T>(QmpMember<T> member, T fallback) => _values.TryGetValue(member, out object? value) ? (T)value! : fallback;

    public T? Find<T>(QmpMember<T> member)
        where T : struct => _values.TryGetValue(member, out object? value) ? (T)value! : null;

    public T? FindReference<T>(QmpMember<T> member)
        where T : class => _values.TryGetValue(member, out object? value) ? (T?)value : null;

    public object? GetBoxed(QmpMember member) => _values[member];

    /// <summary>Reads, checks and makes an object.</summary>
    public static T ReadObject<T>(JsonElement source, QmpPath path, IQmpObject type, Func<QmpValues, T> create)
    {
        if (source.ValueKind != JsonValueKind.Object)
            throw QmpErrors.WrongType(path.Full, "object");
        var values = new QmpValues();
        values.Read(source, path, type);
        values.RefuseOthers(source, path);
        return create(values);
    }

    /// <summary>Reads an object's members and those of the branch its tag names.</summary>
    public void Read(JsonElement source, QmpPath path, IQmpObject type)
    {
        Read(source, path, type.Members);
        if (type.Tag is null)
            return;
        string tag = source.GetProperty(type.Tag.Name).GetString()!;
        foreach (QmpBranch branch in type.Branches)
        {
            if (branch.Case == tag)
                Read(source, path, branch.Type);
        }
    }

    public void Read(JsonElement source, QmpPath path, IReadOnlyList<QmpMember> members)
    {
        foreach (QmpMember member in members)
        {
            QmpPath place = path.Member(member.Name);
            _known.Add(member.Name);
            if (source.ValueKind == JsonValueKind.Object && source.TryGetProperty(member.Name, out JsonElement value))
                _values.Add(member, member.ReadBoxed(value, place));
            else if (!member.IsOptional)
                throw QmpErrors.MissingParameter(place.Full);
        }
    }

    /// <summary>Refuses what the schema does not list.</summary>
    /// <exception cref="QmpCommandException">The source has a member that nobody read.</exception>
    public void RefuseOthers(JsonElement source, QmpPath path)
    {
        if (source.ValueKind != JsonValueKind.Object)
            return;
        foreach (JsonProperty property in source.EnumerateObject())
        {
            if (!_known.Contains(property.Name))
                throw QmpErrors.UnexpectedParameter(path.Member(property.Name).Full);
        }
    }
}
