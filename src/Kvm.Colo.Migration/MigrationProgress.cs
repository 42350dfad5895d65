namespace Kvm.Colo.Migration;

/// <summary>Counters of one migration's RAM transfer, in bytes and pages.</summary>
internal readonly record struct MigrationProgress(ulong TotalBytes, ulong TransferredBytes, ulong RemainingPages, ulong NormalPages, ulong ZeroPages, int Passes)
{
    /// <summary>Bytes sent while the guest stood still for the switchover.</summary>
    public ulong DowntimeBytes { get; init; }

    /// <summary>Pages the guest dirtied a second during the last pass.</summary>
    public ulong DirtyPagesPerSecond { get; init; }

    /// <summary>Bytes a second over the last tenth of a second or more; of an ended migration, over all of it.</summary>
    public double BytesPerSecond { get; init; }

    /// <summary>Bytes of all disks that are made equal on the other side.</summary>
    public ulong DiskTotalBytes { get; init; }

    /// <summary>Of those, what is still to be compared.</summary>
    public ulong DiskRemainingBytes { get; init; }
}
