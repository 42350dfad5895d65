using Kvm.Colo.Machine.Vcpus;

namespace Kvm.Colo.Migration.Colo;

/// <summary>
/// What share of its time the guest must give up so that its epochs commit in time: more while they do not, less when there is room. A
/// link slower than the guest dirties its memory would otherwise make epochs as large as the RAM. Migration thread.
/// </summary>
internal sealed class EpochPace(MigrationSettings settings)
{
    /// <summary>The share in percent.</summary>
    public int Percent { get; private set; }

    /// <summary>Judges an epoch by the time from its cut to its commit; true when <see cref="Percent"/> has changed.</summary>
    public bool OnCommitted(TimeSpan commit)
    {
        (int initial, int increment, int max) = settings.CpuThrottle;
        TimeSpan limit = settings.CommitLimit;
        int percent = Percent;
        if (limit <= TimeSpan.Zero)
            percent = 0;
        else if (commit > limit)
            percent = Math.Min(percent == 0 ? initial : percent + increment, Math.Min(max, VcpuThrottle.MaxPercent));
        else if (commit < limit / 2)
            percent = percent <= initial ? 0 : percent - increment;
        bool changed = percent != Percent;
        Percent = Math.Max(0, percent);
        return changed;
    }
}
