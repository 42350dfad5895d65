namespace Kvm.Colo.Qmp.Hosting;

/// <summary>QAPI <c>YankInstance</c>: something with a connection that can be cut.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Id">The block node's name or the chardev's id; null for the migration.</param>
internal sealed record QmpYankInstance(QmpYankKind Kind, string? Id);

/// <summary>QAPI <c>YankInstanceType</c>.</summary>
internal enum QmpYankKind
{
    BlockNode,
    Chardev,
    Migration,
}
