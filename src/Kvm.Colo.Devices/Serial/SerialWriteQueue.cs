namespace Kvm.Colo.Devices.Serial;

/// <summary>
/// A bounded queue in front of a blocking sink, emptied by one named thread, so that no vCPU ever waits for a terminal, a file
/// or a socket. A guest writes a byte at a time: a line goes out as one write, and what has no end yet waits a moment for more.
/// </summary>
internal sealed class SerialWriteQueue : IDisposable
{
    public const int CapacityBytes = 64 * 1024;
    private const int ChunkBytes = 4096;
    private static readonly TimeSpan s_idleWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_lineWait = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_stopWait = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly ByteRing _queue = new(CapacityBytes);
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly ManualResetEventSlim _drained = new(initialState: true);
    private readonly ISerialSink _sink;
    private readonly Thread _thread;
    private Action? _ready;
    private bool _hasLine;
    private bool _refused;
    private bool _stopping;
    private long _droppedBytes;

    public SerialWriteQueue(ISerialSink sink)
    {
        _sink = sink;
        _thread = new Thread(Run) { Name = "serial-out", IsBackground = true };
        _thread.Start();
    }

    public long DroppedBytes => Volatile.Read(ref _droppedBytes);

    /// <summary>Sets who hears, on the queue's thread, that there is room after a refusal.</summary>
    public void OnReady(Action ready)
    {
        lock (_lock)
            _ready = ready;
    }

    public int TryWrite(ReadOnlySpan<byte> data)
    {
        bool wake;
        int accepted;
        lock (_lock)
        {
            wake = _queue.Count == 0;
            accepted = _queue.Write(data);
            if (data[..accepted].EndsWith((byte)'\n'))
                wake = _hasLine = true;
            _refused |= accepted < data.Length;
            if (_queue.Count > 0)
                _drained.Reset();
        }

        if (wake && accepted > 0)
            _wake.Set();
        return accepted;
    }

    /// <summary>Bytes dropped before they reached the queue, so that one counter tells all.</summary>
    public void CountDropped(int bytes) => Interlocked.Add(ref _droppedBytes, bytes);

    public bool Flush(TimeSpan deadline) => _drained.Wait(deadline);

    /// <summary>Stops the thread; one that is stuck in a write of the host's is left behind as a background thread.</summary>
    public void Dispose()
    {
        lock (_lock)
            _stopping = true;
        _wake.Set();
        if (_thread.Join(s_stopWait))
        {
            _wake.Dispose();
            _drained.Dispose();
        }
    }

    private void Run()
    {
        byte[] chunk = new byte[ChunkBytes];
        while (true)
        {
            int length;
            lock (_lock)
            {
                if (_stopping)
                    return;
                length = _queue.Peek(chunk);
            }

            if (length == 0)
            {
                _wake.WaitOne(s_idleWait);
                AwaitLine();
                continue;
            }

            // The bytes stay queued while they are written: Flush counts them, and so does the bound.
            if (!_sink.Write(chunk.AsSpan(0, length)))
                CountDropped(length);
            Finish(length);
        }
    }

    private void AwaitLine()
    {
        lock (_lock)
        {
            if (_stopping || _hasLine || _queue.Count == 0)
                return;
        }

        _wake.WaitOne(s_lineWait);
    }

    private void Finish(int length)
    {
        Action? ready = null;
        lock (_lock)
        {
            _queue.Discard(length);
            if (_queue.Count == 0)
            {
                _hasLine = false;
                _drained.Set();
            }

            if (_refused)
            {
                _refused = false;
                ready = _ready;
            }
        }

        ready?.Invoke();
    }
}
