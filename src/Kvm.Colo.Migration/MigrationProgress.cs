namespace Kvm.Colo.Migration;

/// <summary>Counters of one migration's RAM transfer, in bytes and pages.</summary>
internal readonly record struct MigrationProgress(ulong TotalBytes, ulong TransferredBytes, ulong RemainingPages, ulong NormalPages, ulong ZeroPages, int Passes);
