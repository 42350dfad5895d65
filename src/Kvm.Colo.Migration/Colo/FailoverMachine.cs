namespace Kvm.Colo.Migration.Colo;

/// <summary>
/// The failover of one COLO session: (state, trigger) to state', each step taken once whoever asks. Thread-safe; the cause is recorded
/// before any socket is closed, so that COLO_EXIT tells the truth.
/// </summary>
/// <remarks>
/// none --request--> require --begin--> active --complete--> completed. Where the secondary is loading an epoch, begin gives relaunch
/// instead, and the end of the load takes it through none and require again. Everything else changes nothing.
/// </remarks>
/// <param name="moved">Hears of every new state, in order, on the thread that caused it; must return at once.</param>
internal sealed class FailoverMachine(Action<FailoverState, ColoExitReason>? moved = null)
{
    private readonly Lock _lock = new();
    private FailoverState _state;
    private bool _loading;
    private bool _broken;
    private bool _closed;
    private bool _requestedFirst;

    public FailoverState State
    {
        get
        {
            lock (_lock)
                return _state;
        }
    }

    /// <summary>Whether someone asked for the failover and it is not complete: the session's thread must act.</summary>
    public bool IsPending => State is FailoverState.Require or FailoverState.Active or FailoverState.Relaunch;

    /// <summary>Whether the other side ended on purpose and said so.</summary>
    public bool IsClosed
    {
        get
        {
            lock (_lock)
                return _closed;
        }
    }

    /// <summary>The true reason of the exit: a request (a failover's, or that of the other side's end) that came before anything broke, or an error.</summary>
    public ColoExitReason Reason
    {
        get
        {
            lock (_lock)
                return ReasonNow;
        }
    }

    /// <summary>x-colo-lost-heartbeat. False when a failover is under way or done.</summary>
    public bool TryRequest()
    {
        lock (_lock)
        {
            if (FailoverTable.Rule(_state, FailoverTrigger.Request).To is null)
                return false;
            _requestedFirst |= !_broken;
            return TryMove(FailoverTrigger.Request);
        }
    }

    /// <summary>The session broke by itself; recorded once, before its sockets go.</summary>
    public void MarkBroken()
    {
        lock (_lock)
            _broken = true;
    }

    /// <summary>The other side has ended on purpose; without effect when the session broke before.</summary>
    public void MarkClosed()
    {
        lock (_lock)
            _closed |= !_broken;
    }

    /// <summary>The session's thread takes the request up. False when there is none, or when it has to wait for the end of a load.</summary>
    public bool TryBegin()
    {
        lock (_lock)
        {
            return TryMove(_loading ? FailoverTrigger.BeginWhileLoading : FailoverTrigger.Begin) && _state == FailoverState.Active;
        }
    }

    /// <summary>The secondary starts to make an epoch live; from here to <see cref="EndLoad"/> a failover waits. False when one has begun.</summary>
    public bool TryBeginLoad()
    {
        lock (_lock)
        {
            _loading = TryMove(FailoverTrigger.LoadBegins);
            return _loading;
        }
    }

    /// <summary>The epoch is live; a failover that waited for it is required again.</summary>
    public void EndLoad()
    {
        lock (_lock)
        {
            _loading = false;
            TryMove(FailoverTrigger.LoadEnds);
        }
    }

    /// <summary>The failover is done. False when none was active.</summary>
    public bool TryComplete()
    {
        lock (_lock)
        {
            return TryMove(FailoverTrigger.Complete);
        }
    }

    private ColoExitReason ReasonNow =>
        _requestedFirst || _closed ? ColoExitReason.Request : _broken ? ColoExitReason.Error : ColoExitReason.None;

    private bool TryMove(FailoverTrigger trigger)
    {
        if (FailoverTable.Rule(_state, trigger).To is not { } to)
            return false;
        bool hasMoved = _state != to;
        _state = to;
        if (hasMoved)
            moved?.Invoke(to, ReasonNow);
        return true;
    }
}
