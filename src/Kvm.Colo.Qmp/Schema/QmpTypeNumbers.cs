namespace Kvm.Colo.Qmp.Schema;

/// <summary>Gives each type the name introspection shows: a number in order of first use, brackets for lists.</summary>
internal sealed class QmpTypeNumbers
{
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);

    /// <summary>Types met, in order; grows while they are described.</summary>
    public List<QmpType> Found { get; } = [];

    public string this[QmpType type]
    {
        get
        {
            if (_names.TryGetValue(type.Identity, out string? known))
                return known;
            string name = type switch
            {
                { IsBuiltin: true } => type.Identity,
                IQmpList list => $"[{this[list.ElementType]}]",
                _ => _names.Count.ToString(),
            };
            _names.Add(type.Identity, name);
            Found.Add(type);
            return name;
        }
    }
}
