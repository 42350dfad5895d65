namespace Kvm.Colo.Devices.Serial;

/// <summary>
/// Output commit for the serial line: decides whether a byte goes out, goes out and is recorded, or waits for the primary to
/// have said it too. On a secondary the backend sees only the bytes of committed epochs, and after a failover the survivor's
/// own continuation of them: never torn, never repeated. Lock order: device, this, backend.
/// </summary>
/// <remarks>
/// Bounds: what one epoch records is <see cref="EpochLogBytes"/>, the oldest bytes go first and are counted; what a secondary
/// holds back is <see cref="SpeculativeBytes"/>, then writes are refused until the next commit; committed bytes that wait for
/// a slow backend are <see cref="BacklogBytes"/>, the oldest go first and are counted.
/// </remarks>
internal sealed class SerialOutput(ISerialBackend backend)
{
    public const int EpochLogBytes = 64 * 1024;
    public const int SpeculativeBytes = 64 * 1024;
    public const int BacklogBytes = 1024 * 1024;

    private readonly Lock _lock = new();
    private SerialOutputMode _mode;
    private ByteRing? _epochLog;
    private ByteRing? _speculative;
    private ByteRing? _backlog;
    private ulong _lostInEpoch;
    private ulong _lostBytes;

    /// <summary>
    /// Raised with no lock of this class held when a refused write may be tried again, and after every change of mode.
    /// Set once, before the machine runs.
    /// </summary>
    public Action? Ready { get; set; }

    public SerialOutputMode Mode
    {
        get
        {
            lock (_lock)
                return _mode;
        }
    }

    /// <summary>Bytes of committed epochs that never reached the backend: lost by the primary's log or by the backlog.</summary>
    public ulong LostBytes
    {
        get
        {
            lock (_lock)
                return _lostBytes;
        }
    }

    /// <summary>
    /// Takes what it has room for and returns how many bytes; after less than all, <see cref="Ready"/> follows.
    /// </summary>
    public int Write(ReadOnlySpan<byte> data)
    {
        lock (_lock)
        {
            if (_mode == SerialOutputMode.Speculative)
                return _speculative!.Write(data);
            if (!PumpBacklog())
                return 0;
            int accepted = backend.TryWrite(data);
            if (_mode == SerialOutputMode.Recording)
                _lostInEpoch += (ulong)_epochLog!.WriteDroppingOldest(data[..accepted]);
            return accepted;
        }
    }

    /// <summary>The backend has room again: committed bytes first, then whoever was refused.</summary>
    public void OnBackendReady()
    {
        lock (_lock)
        {
            if (!PumpBacklog())
                return;
        }

        Ready?.Invoke();
    }

    /// <summary>Takes the part of the machine's role.</summary>
    public void Enter(SerialOutputMode mode)
    {
        switch (mode)
        {
            case SerialOutputMode.Recording:
                StartRecording();
                break;
            case SerialOutputMode.Speculative:
                StartSpeculating();
                break;
            default:
                GoDirect();
                break;
        }
    }

    /// <summary>Primary: from here on every byte is written through and recorded. Starts with an empty log.</summary>
    public void StartRecording()
    {
        lock (_lock)
        {
            _epochLog ??= new ByteRing(EpochLogBytes);
            _epochLog.Clear();
            _lostInEpoch = 0;
            Leave();
            _mode = SerialOutputMode.Recording;
        }

        Ready?.Invoke();
    }

    /// <summary>Secondary: from here on the guest's own bytes are held back.</summary>
    public void StartSpeculating()
    {
        lock (_lock)
        {
            _speculative ??= new ByteRing(SpeculativeBytes);
            _backlog ??= new ByteRing(BacklogBytes);
            Leave();
            _mode = SerialOutputMode.Speculative;
        }

        Ready?.Invoke();
    }

    /// <summary>
    /// End of replication on either side. On a secondary this is the failover: what its guest said since the last commit is
    /// written behind the committed bytes.
    /// </summary>
    public void GoDirect()
    {
        lock (_lock)
        {
            Leave();
            _mode = SerialOutputMode.Direct;
        }

        Ready?.Invoke();
    }

    /// <summary>
    /// Primary, at the cut: copies this epoch's bytes to <paramref name="destination"/> (at least
    /// <see cref="EpochLogBytes"/>), starts the next epoch's log and returns the count. Zero in any other mode.
    /// </summary>
    public int TakeEpochLog(Span<byte> destination, out ulong lostBytes)
    {
        lock (_lock)
        {
            lostBytes = 0;
            if (_mode != SerialOutputMode.Recording)
                return 0;
            lostBytes = _lostInEpoch;
            _lostInEpoch = 0;
            return _epochLog!.Read(destination);
        }
    }

    /// <summary>
    /// Secondary, with its guest stopped and an epoch committed: drops what the guest said on its own and writes what the
    /// primary recorded. Does nothing in any other mode.
    /// </summary>
    public void CommitEpoch(ReadOnlySpan<byte> recorded, ulong lostBytes)
    {
        lock (_lock)
        {
            if (_mode != SerialOutputMode.Speculative)
                return;
            _speculative!.Clear();
            _lostBytes += lostBytes;
            AppendBacklog(recorded);
        }
    }

    private void Leave()
    {
        if (_mode != SerialOutputMode.Speculative)
            return;
        while (_speculative!.Count > 0)
        {
            ReadOnlySpan<byte> piece = _speculative.PeekContiguous();
            AppendBacklog(piece);
            _speculative.Discard(piece.Length);
        }
    }

    private void AppendBacklog(ReadOnlySpan<byte> data)
    {
        if (PumpBacklog())
            data = data[backend.TryWrite(data)..];
        _lostBytes += (ulong)_backlog!.WriteDroppingOldest(data);
    }

    private bool PumpBacklog()
    {
        if (_backlog is null)
            return true;
        while (_backlog.Count > 0)
        {
            int accepted = backend.TryWrite(_backlog.PeekContiguous());
            if (accepted == 0)
                return false;
            _backlog.Discard(accepted);
        }

        return true;
    }
}
