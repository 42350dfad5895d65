using Kvm.Colo.Machine.Vcpus;

namespace Kvm.Colo.Migration.Colo;

/// <summary>
/// What share of its time the guest must give up so that its epochs are through in time: more while they are not, less when there is
/// room. A link slower than the guest dirties its memory, or a secondary slower to take epochs in than the primary makes them, would
/// otherwise make epochs as large as the RAM. Migration thread.
/// </summary>
internal sealed class EpochPace(MigrationSettings settings, TimeProvider time)
{
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(10);

    private long? _lastSaid;
    private bool _isSaid;

    /// <summary>The share in percent.</summary>
    public int Percent { get; private set; }

    /// <summary>What a person should hear of the last epoch; null for most: the beginning at most every ten seconds, and its end.</summary>
    public string? Message { get; private set; }

    /// <summary>Judges an epoch; true when <see cref="Percent"/> has changed.</summary>
    /// <param name="commit">From its cut to its commit.</param>
    /// <param name="apply">From there to the other guest's start: the next epoch cannot be sent before.</param>
    public bool OnEpoch(TimeSpan commit, TimeSpan apply)
    {
        (int initial, int increment, int max) = settings.CpuThrottle;
        TimeSpan limit = settings.CommitLimit;
        TimeSpan taken = commit + apply;
        int before = Percent;
        int percent = before;
        if (limit <= TimeSpan.Zero)
            percent = 0;
        else if (taken > limit)
            percent = Math.Min(percent == 0 ? initial : percent + increment, Math.Min(max, VcpuThrottle.MaxPercent));
        else if (taken < limit / 2)
            percent = percent <= initial ? 0 : percent - increment;
        Percent = Math.Max(0, percent);
        Message = Say(before, commit, apply);
        return Percent != before;
    }

    private string? Say(int before, TimeSpan commit, TimeSpan apply)
    {
        if (before == 0 && Percent > 0 && (_lastSaid is not { } last || time.GetElapsedTime(last) >= s_quiet))
        {
            _lastSaid = time.GetTimestamp();
            _isSaid = true;
            string late = commit >= apply
                ? $"the secondary does not keep up, an epoch took {commit.TotalSeconds:0.0#} s to commit"
                : $"the secondary does not keep up, an epoch took {apply.TotalSeconds:0.0#} s to go live there";
            return $"{late}: the guest is slowed by {Percent} %";
        }

        if (before == 0 || Percent > 0 || !_isSaid)
            return null;
        _isSaid = false;
        return "the secondary keeps up again: the guest runs at full speed";
    }
}
