using Kvm.Colo.Native;

namespace Kvm.Colo.Net;

/// <summary>
/// Output commit between a card and its network: what a protected guest sends leaves when its epoch is committed, so the network never
/// saw what the survivor does not know. Bounded: a card asks <see cref="CanSend"/> first and leaves frames with the guest. Nothing is
/// allocated per frame. Safe from any thread; the network is called under the lock, so order is kept.
/// </summary>
internal sealed class NetGate(INetBackend network) : INetBackend
{
    /// <summary>What one card's waiting frames may take.</summary>
    public const int CapacityBytes = 4 << 20;

    private readonly Lock _lock = new();
    private FrameRing? _waiting;
    private NetGateMode _mode;
    private Action? _pressure;
    private Action? _waits;
    private ulong _cut;
    private bool _isReceiving;
    private bool _hasPressed;
    private bool _hasWaited;
    private bool _hasRefused;
    private long _held;
    private long _dropped;

    public string Name => network.Name;

    public NetGateMode Mode
    {
        get
        {
            lock (_lock)
                return _mode;
        }
    }

    /// <summary>Frames that had to wait.</summary>
    public long HeldFrames => Volatile.Read(ref _held);

    /// <summary>Frames that never left: a secondary's own before an epoch, and those the network would not take.</summary>
    public long DroppedFrames => Volatile.Read(ref _dropped);

    /// <summary>Frames that wait now.</summary>
    public int WaitingFrames
    {
        get
        {
            lock (_lock)
                return _waiting?.Count ?? 0;
        }
    }

    public bool CanSend
    {
        get
        {
            lock (_lock)
            {
                bool can = _mode == NetGateMode.Open || _waiting!.HasRoom;
                _hasRefused |= !can;
                return can;
            }
        }
    }

    public void Start(Action readable, Action lost) => network.Start(readable, lost);

    public void SetReceiving(bool enabled)
    {
        lock (_lock)
        {
            _isReceiving = enabled;
            UpdateReceiving();
        }
    }

    public int TryReceive(Span<byte> frame) => Mode == NetGateMode.Speculative ? 0 : network.TryReceive(frame);

    public Errno TrySend(ReadOnlySpan<byte> frame)
    {
        Action? pressure = null;
        Action? waits = null;
        lock (_lock)
        {
            if (_mode == NetGateMode.Open)
                return network.TrySend(frame);
            if (!_waiting!.TryAdd(frame))
            {
                _dropped++;
                return Errno.ENOBUFS;
            }

            _held++;
            if (!_hasWaited)
            {
                _hasWaited = true;
                waits = _waits;
            }

            if (_waiting.UsedBytes >= CapacityBytes / 2 && !_hasPressed)
            {
                _hasPressed = true;
                pressure = _pressure;
            }
        }

        waits?.Invoke();
        pressure?.Invoke();
        return Errno.None;
    }

    public Errno SetOffloads(NetOffloads offloads) => network.SetOffloads(offloads);

    /// <summary>Primary: from here on frames wait for their epoch.</summary>
    /// <param name="waits">Called, on any thread, for the first frame of an epoch; must return at once.</param>
    /// <param name="pressure">Called so once per epoch in which much waits.</param>
    public void Hold(Action waits, Action pressure)
    {
        lock (_lock)
        {
            _waiting ??= new FrameRing(CapacityBytes);
            _waits = waits;
            _pressure = pressure;
            _cut = _waiting.Tail;
            _mode = NetGateMode.Holding;
        }
    }

    /// <summary>Primary, at the cut: what was sent up to here belongs to the epoch.</summary>
    public void MarkCut()
    {
        lock (_lock)
        {
            if (_waiting is not null)
                _cut = _waiting.Tail;
            _hasPressed = _hasWaited = false;
        }
    }

    /// <summary>Primary: the epoch of the last cut is committed. True when the card was told to wait and should look again.</summary>
    public bool ReleaseCut()
    {
        lock (_lock)
        {
            if (_mode != NetGateMode.Holding)
                return false;
            Release(_cut);
            return TakeRefused();
        }
    }

    /// <summary>Secondary: from here on frames are the guest's own and nothing is received.</summary>
    public void Speculate()
    {
        lock (_lock)
        {
            _waiting ??= new FrameRing(CapacityBytes);
            _mode = NetGateMode.Speculative;
            UpdateReceiving();
        }
    }

    /// <summary>Secondary: an epoch goes live, what the guest here sent on its own was never sent.</summary>
    public void DropSpeculation()
    {
        lock (_lock)
        {
            if (_mode != NetGateMode.Speculative)
                return;
            _dropped += _waiting!.Count;
            _waiting.Clear();
        }
    }

    /// <summary>
    /// The pair is no more: what waits leaves now, on a secondary because it follows from the last epoch. True when the card should look
    /// again.
    /// </summary>
    public bool Open()
    {
        lock (_lock)
        {
            if (_mode == NetGateMode.Open)
                return false;
            Release(_waiting!.Tail);
            _mode = NetGateMode.Open;
            _waits = _pressure = null;
            _hasPressed = _hasWaited = false;
            UpdateReceiving();
            return TakeRefused();
        }
    }

    public void Dispose() => network.Dispose();

    private void Release(ulong limit)
    {
        while (_waiting!.TryPeek(limit, out ReadOnlySpan<byte> frame))
        {
            if (network.TrySend(frame) != Errno.None)
                _dropped++;
            _waiting.RemoveFirst();
        }
    }

    private bool TakeRefused()
    {
        bool refused = _hasRefused;
        _hasRefused = false;
        return refused;
    }

    private void UpdateReceiving() => network.SetReceiving(_isReceiving && _mode != NetGateMode.Speculative);
}
