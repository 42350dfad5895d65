namespace Kvm.Colo.Migration.Colo;

/// <summary>Sums of a session and its last epoch; sizes in bytes.</summary>
internal readonly record struct ColoCounters(ulong Epoch, ulong DirtyPages, ulong Identical, ulong Delta, ulong Zero, ulong Full, long Bytes, EpochRecord Last)
{
    public ColoCounters Plus(EpochRecord epoch) => new(
        epoch.Epoch,
        DirtyPages + (ulong)epoch.Pages,
        Identical + (ulong)epoch.Fates.Identical,
        Delta + (ulong)epoch.Fates.Delta,
        Zero + (ulong)epoch.Fates.Zero,
        Full + (ulong)epoch.Fates.Full,
        Bytes + epoch.Bytes,
        epoch);
}
