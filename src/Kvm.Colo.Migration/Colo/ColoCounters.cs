namespace Kvm.Colo.Migration.Colo;

/// <summary>Sums of a session and its last epoch; sizes in bytes.</summary>
internal readonly record struct ColoCounters(ulong Epoch, ulong DirtyPages, ulong Identical, ulong Delta, ulong Zero, ulong Full, long Bytes, EpochRecord Last)
{
    /// <summary>Pages that were with the secondary before their cut and stood; known to a primary.</summary>
    public ulong Ahead { get; init; }

    public ColoCounters Plus(EpochRecord epoch) => new(
        epoch.Epoch,
        DirtyPages + (ulong)epoch.Pages,
        Identical + (ulong)epoch.Fates.Identical,
        Delta + (ulong)epoch.Fates.Delta,
        Zero + (ulong)epoch.Fates.Zero,
        Full + (ulong)epoch.Fates.Full,
        Bytes + epoch.Bytes,
        epoch)
    {
        Ahead = Ahead + (ulong)epoch.Ahead,
    };
}
