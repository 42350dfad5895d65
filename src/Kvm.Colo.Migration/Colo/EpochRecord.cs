namespace Kvm.Colo.Migration.Colo;

/// <summary>What one epoch cost: pages captured and how they travelled, bytes on the wire, and its three times.</summary>
internal readonly record struct EpochRecord(
    ulong Epoch, int Pages, PageFates Fates, long Bytes, TimeSpan Pause, TimeSpan Commit, TimeSpan Apply)
{
    /// <summary>Null on the secondary, which is not told.</summary>
    public CheckpointCause? Cause { get; init; }

    /// <summary>Pages that were with the peer before the cut and stood.</summary>
    public int Ahead { get; init; }

    /// <summary>How far the secondary's guest was ahead; see <see cref="Machine.VirtualMachine.Skew"/>. On the primary never: minus the
    /// time from the cut to the other guest's start. Null when there was no running guest to compare with.</summary>
    public TimeSpan? Skew { get; init; }
}
