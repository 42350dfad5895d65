namespace Kvm.Colo.Qmp.Hosting;

/// <summary>One disk as the guest sees it (QAPI <c>BlockInfo</c> and <c>BlockStats</c>).</summary>
internal sealed record QmpBlockDevice
{
    /// <summary>The disk's id; null leaves it out, for a block node seen by itself.</summary>
    public required string? Device { get; init; }

    public string? QomPath { get; init; }

    public required string NodeName { get; init; }

    public required string FileName { get; init; }

    /// <summary>Format driver, such as <c>raw</c>.</summary>
    public required string Driver { get; init; }

    /// <summary>False while the guest that owns it is on another host.</summary>
    public bool IsActive { get; init; } = true;

    public bool ReadOnly { get; init; }

    public long VirtualSizeBytes { get; init; }

    /// <summary>Number of images behind this one.</summary>
    public long BackingFileDepth { get; init; }

    /// <summary>Writes are complete for the guest before they are on the medium.</summary>
    public bool IsWriteBack { get; init; } = true;

    /// <summary>Opened with O_DIRECT.</summary>
    public bool IsDirect { get; init; }

    public QmpBlockIoStatus IoStatus { get; init; }

    public QmpBlockCounters Counters { get; init; } = new();
}

/// <summary>QAPI <c>BlockDeviceIoStatus</c>.</summary>
internal enum QmpBlockIoStatus
{
    Ok,
    Failed,
    NoSpace,
}

/// <summary>QAPI <c>BlockDeviceStats</c>: sums since the device was made.</summary>
internal sealed record QmpBlockCounters
{
    public long ReadBytes { get; init; }

    public long WriteBytes { get; init; }

    public long ReadOperations { get; init; }

    public long WriteOperations { get; init; }

    public long FlushOperations { get; init; }

    public long UnmapBytes { get; init; }

    public long UnmapOperations { get; init; }

    public long UnmapNanoseconds { get; init; }

    public long ReadNanoseconds { get; init; }

    public long WriteNanoseconds { get; init; }

    public long FlushNanoseconds { get; init; }

    public long FailedReads { get; init; }

    public long FailedWrites { get; init; }

    public long FailedFlushes { get; init; }

    public long FailedUnmaps { get; init; }

    /// <summary>Requests that the guest asked for wrongly.</summary>
    public long InvalidReads { get; init; }

    public long InvalidWrites { get; init; }

    public long InvalidFlushes { get; init; }

    public long InvalidUnmaps { get; init; }

    public long HighestWrittenOffset { get; init; }
}
