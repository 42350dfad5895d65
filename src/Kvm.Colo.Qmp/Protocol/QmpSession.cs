using System.Net.Sockets;
using System.Text.Json;
using Kvm.Colo.Qmp.Json;
using Kvm.Colo.Qmp.Schema;

namespace Kvm.Colo.Qmp.Protocol;

/// <summary>
/// One monitor: a reading thread, a running thread and a writing thread, so that an out-of-band command overtakes a blocked
/// one and a client that does not read holds up nobody else. Ends when the client closes, breaks, stalls, or the server ends.
/// </summary>
internal sealed partial class QmpSession : IDisposable
{
    private readonly QmpServer _server;
    private readonly QmpServerOptions _options;
    private readonly Socket _socket;
    private readonly QmpTlsOptions? _tls;
    private readonly QmpOutbox _outbox;
    private readonly Thread _reader;
    private readonly Thread _runner;
    private readonly Thread _writer;
    private readonly object _queueLock = new();
    private readonly Queue<QmpRequest> _requests = new();
    private Stream? _stream;
    private bool _isClosing;
    private bool _isRunning;
    private volatile bool _isNegotiated;
    private volatile bool _isOutOfBandEnabled;
    private int _threadsLeft = 3;

    public QmpSession(QmpServer server, Socket socket, QmpTlsOptions? tls, int number)
    {
        _server = server;
        _options = server.Options;
        _socket = socket;
        _tls = tls;
        Name = $"qmp-{number}";
        _outbox = new QmpOutbox(_options, () => Abort("takes nothing"), QmpEventLine.Lost(_options.Time));
        _reader = new Thread(Read, maxStackSize: 256 * 1024) { Name = $"{Name}-read", IsBackground = true };
        _runner = new Thread(RunRequests, maxStackSize: 256 * 1024) { Name = $"{Name}-run", IsBackground = true };
        _writer = new Thread(Write, maxStackSize: 256 * 1024) { Name = $"{Name}-write", IsBackground = true };
    }

    public string Name { get; }

    /// <summary>Events are for monitors that have left negotiation.</summary>
    public bool IsNegotiated => _isNegotiated;

    public long QueuedBytes => _outbox.QueuedBytes;

    public void Start()
    {
        _reader.Start();
        _runner.Start();
        _writer.Start();
    }

    /// <summary>Queues an event without waiting.</summary>
    public void Post(byte[] eventLine) => _outbox.AddEvent(eventLine);

    /// <summary>Ends the session at once; any thread, any number of times.</summary>
    public void Abort(string reason)
    {
        lock (_queueLock)
        {
            if (_isClosing)
                return;
            _isClosing = true;
            Monitor.PulseAll(_queueLock);
        }
        _options.Log?.Invoke($"{Name}: closed, client {reason}");
        _outbox.Close();
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // Already gone; the threads see it themselves.
            _options.Log?.Invoke($"{Name}: {failure.Message}");
        }
        _socket.Dispose();
    }

    /// <summary>Lets a command in progress finish and its reply leave, until the deadline.</summary>
    public void Drain(TimeSpan deadline)
    {
        long start = _options.Time.GetTimestamp();
        lock (_queueLock)
        {
            while (!_isClosing && (_isRunning || _requests.Count > 0))
            {
                TimeSpan left = deadline - _options.Time.GetElapsedTime(start);
                if (left <= TimeSpan.Zero || !Monitor.Wait(_queueLock, left))
                    break;
            }
        }
        TimeSpan rest = deadline - _options.Time.GetElapsedTime(start);
        if (rest > TimeSpan.Zero)
            _outbox.Flush(rest, _options.Time);
    }

    /// <summary>Ends the session and waits for its threads; the last of them releases the stream.</summary>
    public void Dispose()
    {
        Abort("left behind: the server ends");
        _reader.Join();
        _runner.Join();
        _writer.Join();
        _outbox.Dispose();
    }

    private void Read()
    {
        string reason = "has gone";
        try
        {
            _stream = QmpTransport.Open(_socket, _tls, _options);
            _outbox.AddReply(_server.Greeting);
            ReadRequests(_stream);

            // A script may close its side at once after the last request: its answers still leave.
            Drain(_options.FlushDeadline);
        }
        catch (Exception failure)
        {
            // Whatever a client manages to cause ends its session and nothing else.
            reason = $"was lost: {failure.Message}";
        }
        Abort(reason);
        ThreadEnds();
    }

    private void ReadRequests(Stream stream)
    {
        var input = new QmpMessageReader(_options.Limits);
        byte[] buffer = new byte[16 * 1024];
        while (stream.Read(buffer) is > 0 and int count)
        {
            ReadOnlySpan<byte> rest = buffer.AsSpan(0, count);
            while (true)
            {
                QmpInputStatus status = input.Read(ref rest);
                if (status == QmpInputStatus.NeedMoreData)
                    break;
                QmpRequest request = status == QmpInputStatus.Message
                    ? QmpRequest.Parse(input.Message, QmpText.DocumentOptions)
                    : QmpRequest.Broken(input.Error);
                if (!Accept(request))
                    return;
            }
        }
    }

    /// <summary>Runs an out-of-band request now, queues any other; waits while the client has too much outstanding.</summary>
    private bool Accept(QmpRequest request)
    {
        if (_isOutOfBandEnabled && request.IsOutOfBand)
        {
            if (!_outbox.WaitForRoom())
                return false;
            RunOutOfBand(request);
            return true;
        }

        lock (_queueLock)
        {
            int most = _isOutOfBandEnabled ? _options.MaxQueuedRequests : 1;
            while (!_isClosing && _requests.Count >= most)
                Monitor.Wait(_queueLock);
            if (_isClosing)
                return false;
            _requests.Enqueue(request);
            Monitor.PulseAll(_queueLock);
            return true;
        }
    }

    private void RunRequests()
    {
        try
        {
            while (TryDequeue(out QmpRequest? request) && _outbox.WaitForRoom())
            {
                Run(request);
                lock (_queueLock)
                {
                    _isRunning = false;
                    Monitor.PulseAll(_queueLock);
                }
            }
        }
        catch (Exception failure)
        {
            Abort($"was lost: {failure}");
        }
        ThreadEnds();
    }

    private bool TryDequeue(out QmpRequest request)
    {
        lock (_queueLock)
        {
            while (!_isClosing && _requests.Count == 0)
                Monitor.Wait(_queueLock);
            if (_isClosing)
            {
                request = null!;
                return false;
            }
            request = _requests.Dequeue();
            _isRunning = true;
            Monitor.PulseAll(_queueLock);
            return true;
        }
    }

    private void Write()
    {
        var batch = new List<byte[]>();
        byte[] buffer = new byte[16 * 1024];
        try
        {
            while (_outbox.Take(batch))
            {
                // Nothing is queued before the reading thread has opened the stream.
                WriteBatch(_stream!, batch, buffer);
                batch.Clear();
            }
        }
        catch (Exception failure)
        {
            Abort($"was lost: {failure.Message}");
        }
        ThreadEnds();
    }

    /// <summary>Writes in pieces, so that a slow client is seen to take something.</summary>
    private void WriteBatch(Stream stream, List<byte[]> batch, byte[] buffer)
    {
        int used = 0;
        foreach (byte[] line in batch)
        {
            for (int start = 0; start < line.Length;)
            {
                int piece = Math.Min(line.Length - start, buffer.Length - used);
                line.AsSpan(start, piece).CopyTo(buffer.AsSpan(used));
                start += piece;
                used += piece;
                if (used == buffer.Length)
                    used = Send(stream, buffer, used);
            }
        }
        if (used > 0)
            Send(stream, buffer, used);
    }

    private int Send(Stream stream, byte[] buffer, int count)
    {
        stream.Write(buffer, 0, count);
        stream.Flush();
        _outbox.Written(count);
        return 0;
    }

    private void ThreadEnds()
    {
        if (Interlocked.Decrement(ref _threadsLeft) > 0)
            return;
        _stream?.Dispose();
        _outbox.Dispose();
        _server.Remove(this);
    }
}
