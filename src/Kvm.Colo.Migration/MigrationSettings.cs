namespace Kvm.Colo.Migration;

/// <summary>
/// What migrations of this machine are told to do. Set by the control socket or the command line, read by migration threads at the
/// point where it matters; every member may change at any time.
/// </summary>
internal sealed class MigrationSettings
{
    // Far below what copying and dropping pages one by one reaches on any host.
    private const double SlowBytesPerSecond = 128 << 20;
    private const double MaxExtraSeconds = 60;

    private int _checkpointDelayMs = 20_000;
    private int _heartbeatTimeoutMs = 1_000;
    private volatile bool _colo;
    private volatile bool _verifyCheckpoints;
    private volatile bool _strictPause;
    private long _outputDelayTicks = TimeSpan.TicksPerMillisecond;
    private long _commitLimitTicks = TimeSpan.TicksPerSecond;

    /// <summary>Raised after the checkpoint delay was set: in COLO that means a checkpoint now.</summary>
    public event Action? CheckpointDelayChanged;

    /// <summary>Capability x-colo.</summary>
    public bool Colo
    {
        get => _colo;
        set => _colo = value;
    }

    /// <summary>x-checkpoint-delay: longest time between two checkpoints, in milliseconds; 0 is back to back.</summary>
    public int CheckpointDelayMs
    {
        get => Volatile.Read(ref _checkpointDelayMs);
        set
        {
            Volatile.Write(ref _checkpointDelayMs, value);
            CheckpointDelayChanged?.Invoke();
        }
    }

    /// <summary>A peer that is silent for longer is lost, in milliseconds.</summary>
    public int HeartbeatTimeoutMs
    {
        get => Volatile.Read(ref _heartbeatTimeoutMs);
        set => Volatile.Write(ref _heartbeatTimeoutMs, value);
    }

    /// <summary>
    /// How long a step of a checkpoint may take on the peer, which does not beat while it works: a few heartbeat timeouts, and never so
    /// short that a busy host counts as dead.
    /// </summary>
    public TimeSpan StepDeadline => TimeSpan.FromMilliseconds(Math.Max(2_000, 4 * HeartbeatTimeoutMs));

    /// <summary>
    /// The same for a step that works through <paramref name="bytes"/>, such as taking an epoch in: longer by what a slow host needs for
    /// them, and by a minute at most.
    /// </summary>
    public TimeSpan StepDeadlineFor(ulong bytes) =>
        StepDeadline + TimeSpan.FromSeconds(Math.Min(bytes / SlowBytesPerSecond, MaxExtraSeconds));

    /// <summary>Both sides hash all RAM at every checkpoint and compare; for tests and doubts, it costs a pass over the RAM.</summary>
    public bool VerifyCheckpoints
    {
        get => _verifyCheckpoints;
        set => _verifyCheckpoints = value;
    }

    /// <summary>How many pages the primary remembers to send differences against; 0 switches deltas off. Read when a session begins.</summary>
    public int DeltaCachePages { get; set; } = 64 * 1024;

    /// <summary>Whether pages that the secondary's guest wrote the same way are found by their hashes. Read when a session begins.</summary>
    public bool PageHashes { get; set; } = true;

    /// <summary>
    /// Whether, where pages are asked about by hash, the secondary's guest stops when the primary's does and its clocks go on with the
    /// primary's, so that both have written the same; as long as epochs take less than 100 ms. Read when a session begins.
    /// </summary>
    public bool InTime { get; set; } = true;

    /// <summary>Whether a large dirty set is copied while the guest runs, so that the pause holds only the rest.</summary>
    public bool CopyAhead { get; set; } = true;

    /// <summary>
    /// Whether pages that look settled are sent before the cut, and taken by a secondary. Read when a session begins; both ends must agree.
    /// </summary>
    public bool PreSend { get; set; }

    /// <summary>How many pages an epoch must have had for the next one to send ahead; 0 for always, also where it brings nothing.</summary>
    public int PreSendMinPages { get; set; } = 512;

    /// <summary>Time between two looks for settled pages; null for a share of the checkpoint delay.</summary>
    public TimeSpan? PreSendPeriod { get; set; }

    /// <summary>How long the guest runs at least between a checkpoint and one that is taken because a frame to the network waits.</summary>
    public TimeSpan OutputDelay
    {
        get => new(Interlocked.Read(ref _outputDelayTicks));
        set => Interlocked.Exchange(ref _outputDelayTicks, value.Ticks);
    }

    /// <summary>Whether the secondary overwrites hot pages instead of dropping them. Read when a session begins.</summary>
    public bool KeepHotPages { get; set; } = true;

    /// <summary>
    /// x-colo-strict-pause: the guest stands still until the secondary has loaded the epoch, as with QEMU. For comparison.
    /// </summary>
    public bool StrictPause
    {
        get => _strictPause;
        set => _strictPause = value;
    }

    /// <summary>
    /// How long an epoch may take from the cut to its commit and on to the secondary's running guest before the guest is slowed down;
    /// zero for no limit. Output to the network waits that long, and a failover takes the guest that far back.
    /// </summary>
    public TimeSpan CommitLimit
    {
        get => new(Interlocked.Read(ref _commitLimitTicks));
        set => Interlocked.Exchange(ref _commitLimitTicks, value.Ticks);
    }

    /// <summary>cpu-throttle-initial, cpu-throttle-increment and max-cpu-throttle: the first share taken, its steps, its bound.</summary>
    public (int Initial, int Increment, int Max) CpuThrottle { get; set; } = (20, 10, 99);

    /// <summary>max-bandwidth of the initial transfer in bytes per second, 0 for no limit.</summary>
    public long MaxBandwidth { get; set; }

    /// <summary>downtime-limit of a plain migration.</summary>
    public TimeSpan DowntimeLimit { get; set; } = TimeSpan.FromMilliseconds(300);
}
