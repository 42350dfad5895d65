namespace Kvm.Colo.Migration.Colo;

/// <summary>
/// When the next checkpoint is due: x-checkpoint-delay after the last one was, not after it came, so that what a wake-up or a transaction
/// takes does not add up. One that is late by more than a whole delay begins a new beat: nothing is caught up on. One owner thread.
/// </summary>
internal sealed class CheckpointClock(TimeProvider time)
{
    private long _last = time.GetTimestamp();

    /// <summary>How long until the next one; not positive when it is due.</summary>
    public TimeSpan Left(TimeSpan delay) => delay - time.GetElapsedTime(_last);

    /// <summary>One begins, because it is due or for another reason.</summary>
    public void OnBegin(TimeSpan delay)
    {
        TimeSpan late = -Left(delay);
        _last = time.GetTimestamp();
        if (late > TimeSpan.Zero && late < delay)
            _last -= (long)(late.TotalSeconds * time.TimestampFrequency);
    }

    /// <summary>The next one is due a whole delay from now.</summary>
    public void Restart() => _last = time.GetTimestamp();
}
