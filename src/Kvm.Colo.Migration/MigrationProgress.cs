namespace Kvm.Colo.Migration;

/// <summary>Counters of one migration's RAM transfer, in bytes and pages.</summary>
internal readonly record struct MigrationProgress(ulong TotalBytes, ulong TransferredBytes, ulong RemainingPages, ulong NormalPages, ulong ZeroPages, int Passes)
{
    /// <summary>Bytes of all disks that are made equal on the other side.</summary>
    public ulong DiskTotalBytes { get; init; }

    /// <summary>Of those, what is still to be compared.</summary>
    public ulong DiskRemainingBytes { get; init; }
}
