namespace Kvm.Colo.Migration.Colo;

/// <summary>
/// The failover of one COLO session: (state, trigger) to state', each step taken once whoever asks. Thread-safe; the cause is recorded
/// before any socket is closed, so that COLO_EXIT tells the truth.
/// </summary>
/// <remarks>
/// none --request--> require --begin--> active --complete--> completed. Where the secondary is loading an epoch, begin gives relaunch
/// instead, and the end of the load takes it through none and require again. Everything else changes nothing.
/// </remarks>
internal sealed class FailoverMachine
{
    private readonly Lock _lock = new();
    private FailoverState _state;
    private bool _loading;
    private bool _broken;
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

    /// <summary>The true reason of the exit: a request that came before anything broke, or an error.</summary>
    public ColoExitReason Reason
    {
        get
        {
            lock (_lock)
                return _requestedFirst ? ColoExitReason.Request : _broken ? ColoExitReason.Error : ColoExitReason.None;
        }
    }

    /// <summary>x-colo-lost-heartbeat. False when a failover is under way or done.</summary>
    public bool TryRequest()
    {
        lock (_lock)
        {
            if (_state != FailoverState.None)
                return false;
            _state = FailoverState.Require;
            _requestedFirst |= !_broken;
            return true;
        }
    }

    /// <summary>The session broke by itself; recorded once, before its sockets go.</summary>
    public void MarkBroken()
    {
        lock (_lock)
            _broken = true;
    }

    /// <summary>The session's thread takes the request up. False when there is none, or when it has to wait for the end of a load.</summary>
    public bool TryBegin()
    {
        lock (_lock)
        {
            if (_state != FailoverState.Require)
                return false;
            _state = _loading ? FailoverState.Relaunch : FailoverState.Active;
            return _state == FailoverState.Active;
        }
    }

    /// <summary>The secondary starts to make an epoch live; from here to <see cref="EndLoad"/> a failover waits. False when one has begun.</summary>
    public bool TryBeginLoad()
    {
        lock (_lock)
        {
            if (_state is FailoverState.Active or FailoverState.Completed)
                return false;
            _loading = true;
            return true;
        }
    }

    /// <summary>The epoch is live; a failover that waited for it is required again.</summary>
    public void EndLoad()
    {
        lock (_lock)
        {
            _loading = false;
            if (_state == FailoverState.Relaunch)
                _state = FailoverState.Require;
        }
    }

    /// <summary>The failover is done. False when none was active.</summary>
    public bool TryComplete()
    {
        lock (_lock)
        {
            if (_state != FailoverState.Active)
                return false;
            _state = FailoverState.Completed;
            return true;
        }
    }
}
