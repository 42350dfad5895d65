namespace Kvm.Colo.Qmp.Protocol;

/// <summary>
/// Lines waiting for one client. Any thread adds and none of them waits: a reply is always taken, because no further request is
/// run while the queue is full; an event is dropped when it does not fit, and the drop is told of as soon as there is room.
/// One writer thread takes. The stall timer runs from the first refusal until the client takes something.
/// </summary>
internal sealed class QmpOutbox : IDisposable
{
    private readonly Lock _timerLock = new();
    private readonly object _lock = new();
    private readonly Queue<byte[]> _lines = new();
    private readonly int _maxBytes;
    private readonly TimeSpan _stallDeadline;
    private readonly ITimer _stallTimer;
    private readonly Func<ulong, byte[]> _describeLoss;
    private long _bytes;
    private ulong _lostEvents;
    private bool _isStalling;
    private bool _isClosed;
    private bool _takesEvents;
    private bool _isWriting;

    public QmpOutbox(QmpServerOptions options, Action stalled, Func<ulong, byte[]> describeLoss)
    {
        _maxBytes = options.MaxQueuedBytes;
        _stallDeadline = options.StallDeadline;
        _describeLoss = describeLoss;
        _stallTimer = options.Time.CreateTimer(
            static state => ((Action)state!)(), stalled, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Bytes waiting.</summary>
    public long QueuedBytes
    {
        get
        {
            lock (_lock)
                return _bytes;
        }
    }

    /// <summary>Queues a reply, also beyond the bound.</summary>
    /// <param name="line">The reply.</param>
    /// <param name="opensEvents">True for the reply that ends negotiation: events are taken behind it.</param>
    public void AddReply(byte[] line, bool opensEvents = false)
    {
        lock (_lock)
        {
            if (_isClosed)
                return;
            Enqueue(line);
            _takesEvents |= opensEvents;
            if (_bytes > _maxBytes)
                Stall();
        }
    }

    public void AddEvent(byte[] line)
    {
        lock (_lock)
        {
            if (_isClosed || !_takesEvents)
                return;
            if (_bytes + line.Length > _maxBytes)
            {
                _lostEvents++;
                Stall();
                return;
            }
            if (_lostEvents > 0)
            {
                Enqueue(_describeLoss(_lostEvents));
                _lostEvents = 0;
            }
            Enqueue(line);
        }
    }

    /// <summary>Waits until another reply may be caused.</summary>
    /// <returns>False when the outbox is closed.</returns>
    public bool WaitForRoom()
    {
        lock (_lock)
        {
            while (!_isClosed && _bytes > _maxBytes)
                Monitor.Wait(_lock);
            return !_isClosed;
        }
    }

    /// <summary>Takes all that waits, for the writer thread.</summary>
    /// <returns>False when the outbox is closed and empty.</returns>
    public bool Take(List<byte[]> batch)
    {
        lock (_lock)
        {
            _isWriting = false;
            Monitor.PulseAll(_lock);
            while (!_isClosed && _lines.Count == 0)
                Monitor.Wait(_lock);
            while (_lines.TryDequeue(out byte[]? line))
                batch.Add(line);
            _isWriting = batch.Count > 0;
            return batch.Count > 0;
        }
    }

    /// <summary>The client took this much.</summary>
    public void Written(int bytes)
    {
        lock (_lock)
        {
            _bytes -= bytes;
            if (_isStalling)
            {
                _isStalling = false;
                SetTimer(Timeout.InfiniteTimeSpan);
                if (_bytes > _maxBytes)
                    Stall();
            }
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Waits until all is written or the deadline has passed.</summary>
    public void Flush(TimeSpan deadline, TimeProvider time)
    {
        long start = time.GetTimestamp();
        lock (_lock)
        {
            while (!_isClosed && (_lines.Count > 0 || _isWriting))
            {
                TimeSpan left = deadline - time.GetElapsedTime(start);
                if (left <= TimeSpan.Zero || !Monitor.Wait(_lock, left))
                    return;
            }
        }
    }

    /// <summary>Nothing more is taken; waiting threads go on.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            _lines.Clear();
            _bytes = 0;
            Monitor.PulseAll(_lock);
        }
        SetTimer(Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _stallTimer.Dispose();

    private void Enqueue(byte[] line)
    {
        _lines.Enqueue(line);
        _bytes += line.Length;
        Monitor.PulseAll(_lock);
    }

    private void Stall()
    {
        if (_isStalling)
            return;
        _isStalling = true;
        SetTimer(_stallDeadline);
    }

    private void SetTimer(TimeSpan due)
    {
        lock (_timerLock)
            _stallTimer.Change(due, Timeout.InfiniteTimeSpan);
    }
}
