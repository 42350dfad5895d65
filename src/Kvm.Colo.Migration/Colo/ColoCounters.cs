namespace Kvm.Colo.Migration.Colo;

/// <summary>Sums of a session and the figures of its last epoch; sizes in bytes.</summary>
internal readonly record struct ColoCounters(
    ulong Epoch,
    ulong DirtyPages,
    long Bytes,
    int LastPages,
    long LastBytes,
    TimeSpan LastPause,
    TimeSpan LastCommit,
    TimeSpan LastApply);
