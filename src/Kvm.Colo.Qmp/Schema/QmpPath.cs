namespace Kvm.Colo.Qmp.Schema;

/// <summary>Where in the arguments a value stands, for error messages.</summary>
/// <param name="Full">As in <c>capabilities[0].state</c>.</param>
/// <param name="Last">The member's own name, null for a list element.</param>
internal readonly record struct QmpPath(string Full, string? Last)
{
    public static QmpPath Root { get; } = new("", Last: null);

    public QmpPath Member(string name) => new(Full.Length == 0 ? name : $"{Full}.{name}", name);

    public QmpPath Element(int index) => new($"{Full}[{index}]", Last: null);
}
