namespace Kvm.Colo.Qmp.Hosting;

/// <summary>QAPI <c>MigrationInfo</c>; what is null is left out. Times in milliseconds.</summary>
internal sealed record QmpMigrationInfo
{
    /// <summary>Null before the first migration.</summary>
    public QmpMigrationStatus? Status { get; init; }

    public QmpRamStatistics? Ram { get; init; }

    public long? TotalTimeMilliseconds { get; init; }

    public long? ExpectedDowntimeMilliseconds { get; init; }

    public long? DowntimeMilliseconds { get; init; }

    public long? SetupTimeMilliseconds { get; init; }

    public long? CpuThrottlePercentage { get; init; }

    public string? ErrorDescription { get; init; }

    public IReadOnlyList<string>? BlockedReasons { get; init; }

    public uint? PostcopyBlocktimeMilliseconds { get; init; }

    public IReadOnlyList<uint>? PostcopyVcpuBlocktimeMilliseconds { get; init; }

    /// <summary>Where the incoming side listens.</summary>
    public IReadOnlyList<QmpSocketAddress>? SocketAddress { get; init; }
}

/// <summary>QAPI <c>MigrationRAMStats</c>: bytes and pages since the migration began.</summary>
internal sealed record QmpRamStatistics
{
    public long TransferredBytes { get; init; }

    public long RemainingBytes { get; init; }

    public long TotalBytes { get; init; }

    public long DuplicatePages { get; init; }

    public long NormalPages { get; init; }

    public long NormalBytes { get; init; }

    public long DirtyPagesRate { get; init; }

    public double MegabitsPerSecond { get; init; }

    public long DirtySyncCount { get; init; }

    public long PostcopyRequests { get; init; }

    public long PageSizeBytes { get; init; } = 4096;

    public ulong MultifdBytes { get; init; }

    public ulong PagesPerSecond { get; init; }

    public ulong PrecopyBytes { get; init; }

    public ulong DowntimeBytes { get; init; }

    public ulong PostcopyBytes { get; init; }

    public ulong DirtySyncMissedZeroCopy { get; init; }
}
