namespace Kvm.Colo.Block;

/// <summary>
/// Something with blocks: a raw image, an overlay, one side of a replicated disk. Operations run side by side and end in any
/// order; two that touch the same bytes at the same time have no defined order, as on a real disk. Safe from any thread.
/// </summary>
internal interface IBlockNode : IDisposable
{
    /// <summary>What messages call it.</summary>
    string Name { get; }

    /// <summary>A multiple of 512, fixed while the node is open.</summary>
    ulong CapacityBytes { get; }

    bool IsReadOnly { get; }

    /// <summary>Requests submitted and not yet completed.</summary>
    int InFlight { get; }

    /// <summary>
    /// Whether its owner should submit nothing more for the moment, and leave what it has where it is. Nothing is refused meanwhile.
    /// Whoever runs the machine tells the owner when to look again.
    /// </summary>
    bool IsCongested { get; }

    /// <summary>
    /// Begins an operation. Never throws for what the request says: a range outside the node, a write to a read-only node or an
    /// error of the host becomes the request's result.
    /// </summary>
    void Submit(BlockRequest request);

    /// <summary>Waits until nothing is in flight; false when that takes longer than <paramref name="deadline"/>.</summary>
    bool Drain(TimeSpan deadline);
}
