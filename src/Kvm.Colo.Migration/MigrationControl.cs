using System.Diagnostics;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Native;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration;

/// <summary>
/// The strings attached to one migration: its status and its failover, and how others cancel or wake it. Thread-safe; the migration's
/// own thread reports here, the manager commands here.
/// </summary>
internal sealed class MigrationControl(IMigrationObserver observer, ColoMode mode) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly ManualResetEvent _cancelled = new(false);
    private MigrationStatus _status;
    private MigrationProgress _progress;
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _lastProgress;
    private bool _outputWaits;
    private long _windowStart = Stopwatch.GetTimestamp();
    private ulong _windowBytes;
    private ILink? _link;
    private FutexGate? _signal;
    private CheckpointCause? _checkpointRequested;

    /// <summary>Set when the migration must end: cancelled by the user, or the machine ends.</summary>
    public WaitHandle Cancelled => _cancelled;

    public FailoverMachine Failover { get; } = new((state, reason) => observer.OnFailover(mode, state, reason));

    public ColoStatistics Statistics { get; } = new();

    /// <summary>Which side of COLO this migration is, when it comes to that.</summary>
    public ColoMode Side { get; } = mode;

    public MigrationStatus Status
    {
        get
        {
            lock (_lock)
                return _status;
        }
    }

    public MigrationProgress Progress
    {
        get
        {
            lock (_lock)
                return _progress;
        }
    }

    /// <summary>The share of its time the guest gives up so that its epochs are through in time, in percent.</summary>
    public int ThrottlePercent { get; set; }

    public TimeSpan? Downtime { get; private set; }

    public string? ErrorText { get; private set; }

    /// <summary>Whether this migration still does something, so that another must not begin.</summary>
    public bool IsRunning => Status is not (MigrationStatus.None or MigrationStatus.Cancelled or MigrationStatus.Completed or MigrationStatus.Failed);

    public void SetStatus(MigrationStatus status)
    {
        lock (_lock)
        {
            if (_status == status)
                return;
            _status = status;
        }

        observer.OnStatus(status);
    }

    /// <summary>Records why it failed; the text of query-migrate's error-desc.</summary>
    public void SetError(string text) => ErrorText = text;

    /// <summary>The link and the wake-up of the migration's thread, so that others can end its waits.</summary>
    public void Attach(ILink link, FutexGate? signal)
    {
        lock (_lock)
        {
            _link = link;
            _signal = signal;
        }

        if (_cancelled.WaitOne(0))
            link.Shutdown();
    }

    /// <summary>Another wake-up, once the link is gone.</summary>
    public void AttachSignal(FutexGate signal)
    {
        lock (_lock)
            _signal = signal;
    }

    /// <summary>Ends the migration from outside: waits end, the link goes down.</summary>
    public void Cancel()
    {
        _cancelled.Set();
        ShutdownLink();
    }

    /// <summary>Whether there is a connection that <see cref="Yank"/> would cut.</summary>
    public bool HasLink
    {
        get
        {
            lock (_lock)
                return _link is not null;
        }
    }

    /// <summary>QMP <c>yank</c>: cuts the connection and waits for nothing. False when there is none.</summary>
    public bool Yank()
    {
        bool hadLink = HasLink;
        ShutdownLink();
        return hadLink;
    }

    /// <summary>x-colo-lost-heartbeat: records the request, then wakes the session's thread.</summary>
    /// <returns>False when a failover was asked for before.</returns>
    public bool RequestFailover()
    {
        if (!Failover.TryRequest())
            return false;
        ShutdownLink();
        return true;
    }

    /// <summary>Asks the primary for a checkpoint, because disk writes wait for it.</summary>
    public void RequestDiskCheckpoint() => RequestCheckpoint(CheckpointCause.Disk);

    /// <summary>The first frame of an epoch waits for its commit.</summary>
    public void OnOutputWaits()
    {
        Volatile.Write(ref _outputWaits, true);
        Wake();
    }

    /// <summary>Whether output of this epoch waits for a cut.</summary>
    public bool OutputWaits => Volatile.Read(ref _outputWaits);

    /// <summary>A cut comes: what waits now goes with it.</summary>
    public void ForgetOutput() => Volatile.Write(ref _outputWaits, false);

    /// <summary>Asks the primary for a checkpoint, because frames wait for it.</summary>
    public void RequestNetworkCheckpoint() => RequestCheckpoint(CheckpointCause.Network);

    /// <summary>Asks the primary for a checkpoint now; of several causes the first counts, the timer last.</summary>
    public void RequestCheckpoint(CheckpointCause cause)
    {
        lock (_lock)
        {
            if (_checkpointRequested is null or CheckpointCause.Timer)
                _checkpointRequested = cause;
        }

        Wake();
    }

    /// <summary>Why a checkpoint was asked for since the last call, null when it was not.</summary>
    public CheckpointCause? TakeCheckpointRequest()
    {
        lock (_lock)
        {
            CheckpointCause? requested = _checkpointRequested;
            _checkpointRequested = null;
            return requested;
        }
    }

    /// <summary>A checkpoint is whole on the other side (primary) or live here (secondary).</summary>
    public void OnEpoch(in EpochRecord epoch)
    {
        Statistics.RecordEpoch(epoch);
        observer.OnEpoch(Side, epoch);
    }

    public void Wake()
    {
        FutexGate? signal;
        lock (_lock)
            signal = _signal;
        signal?.Set();
    }

    /// <summary>Lets go of link and signal before they are disposed.</summary>
    public void Detach()
    {
        lock (_lock)
        {
            _link = null;
            _signal = null;
        }
    }

    public void OnPass(int pass) => observer.OnPass(pass);

    public void OnProgress(MigrationProgress progress)
    {
        bool announce;
        lock (_lock)
        {
            _progress = progress with { Passes = Math.Max(progress.Passes, _progress.Passes), BytesPerSecond = Rate(progress) };
            announce = Environment.TickCount64 - _lastProgress >= 100 || progress.RemainingPages == 0;
            if (announce)
                _lastProgress = Environment.TickCount64;
        }

        if (announce)
            observer.OnProgress(Progress);
    }

    /// <summary>How long the guest ran nowhere.</summary>
    public void OnDowntime(TimeSpan downtime) => Downtime = downtime;

    public void OnColoSent(ColoMessage message) => observer.OnColoMessage(sent: true, message);

    public void OnColoReceived(ColoMessage message) => observer.OnColoMessage(sent: false, message);

    public void OnColoExit(ColoExitReason reason) => observer.OnColoExit(Side, reason);

    public void OnMessage(string text) => observer.OnMessage(text);

    public void Dispose() => _cancelled.Dispose();

    private double Rate(in MigrationProgress progress)
    {
        long from = progress.RemainingPages == 0 ? _start : _windowStart;
        ulong bytes = progress.TransferredBytes - (progress.RemainingPages == 0 ? 0 : _windowBytes);
        TimeSpan elapsed = Stopwatch.GetElapsedTime(from);
        if (progress.RemainingPages > 0 && elapsed < TimeSpan.FromMilliseconds(100))
            return _progress.BytesPerSecond;
        _windowStart = Stopwatch.GetTimestamp();
        _windowBytes = progress.TransferredBytes;
        return bytes / Math.Max(elapsed.TotalSeconds, 1e-6);
    }

    private void ShutdownLink()
    {
        ILink? link;
        lock (_lock)
            link = _link;
        link?.Shutdown();
        Wake();
    }
}
