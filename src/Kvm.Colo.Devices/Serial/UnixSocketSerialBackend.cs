using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Mono.Unix.Native;

namespace Kvm.Colo.Devices.Serial;

/// <summary>
/// A serial line over a UNIX stream socket. As a server it serves one client after the other, the next one waiting in the
/// backlog; as a client it connects again when the server comes back. Bytes sent while nobody is connected are dropped and
/// counted. The connection thread owns the socket; the write queue's thread only sends on it.
/// </summary>
internal sealed partial class UnixSocketSerialBackend : ISerialBackend, ISerialSink
{
    private static readonly TimeSpan s_reconnectWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_stopWait = TimeSpan.FromSeconds(2);

    private readonly string _path;
    private readonly Socket? _listener;
    private readonly ILogger _logger;
    private readonly SerialWriteQueue _queue;
    private readonly SerialInputFeeder _feeder = new();
    private readonly ManualResetEventSlim _stop = new(initialState: false);
    private readonly Lock _lock = new();
    private Socket? _peer;
    private Thread? _thread;
    private bool _isDisposed;

    private UnixSocketSerialBackend(string path, Socket? listener, Socket? peer, ILogger logger)
    {
        _path = path;
        _listener = listener;
        _peer = peer;
        _logger = logger;
        _queue = new SerialWriteQueue(this);
    }

    public long DroppedBytes => _queue.DroppedBytes;

    public bool IsConnected
    {
        get
        {
            lock (_lock)
                return _peer is not null;
        }
    }

    /// <summary>Listens at <paramref name="path"/>, mode 0600. A stale socket file is replaced, a live one is not.</summary>
    /// <exception cref="SerialBackendException">The path cannot be used.</exception>
    public static UnixSocketSerialBackend Listen(string path, ILogger logger)
    {
        Socket listener = NewSocket();
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory && !Directory.Exists(directory))
                throw new IOException($"there is no directory {directory}");
            RemoveStaleSocket(path);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            // Between bind and listen a connect is refused, so nobody slips in before the mode is set.
            Syscall.chmod(path, FilePermissions.S_IRUSR | FilePermissions.S_IWUSR);
            listener.Listen(1);
            return new UnixSocketSerialBackend(path, listener, peer: null, logger);
        }
        catch (Exception e) when (IsSocketProblem(e))
        {
            listener.Dispose();
            throw new SerialBackendException($"serial socket '{path}' cannot be opened: {e.Message}", e);
        }
        catch (SerialBackendException)
        {
            listener.Dispose();
            throw;
        }
    }

    /// <summary>Connects to a socket somebody listens on.</summary>
    /// <exception cref="SerialBackendException">Nobody does.</exception>
    public static UnixSocketSerialBackend Connect(string path, ILogger logger)
    {
        // Said here, because a SocketException turns ENOENT into "cannot assign requested address".
        if (!File.Exists(path))
            throw new SerialBackendException($"serial socket '{path}' does not exist: nobody listens there (to listen, add ,server)");
        Socket peer = NewSocket();
        try
        {
            peer.Connect(new UnixDomainSocketEndPoint(path));
            return new UnixSocketSerialBackend(path, listener: null, peer, logger);
        }
        catch (Exception e) when (IsSocketProblem(e))
        {
            peer.Dispose();
            throw new SerialBackendException($"serial socket '{path}' cannot be reached: {e.Message}", e);
        }
    }

    public void Start(ISerialInput input, Action outputReady)
    {
        _queue.OnReady(outputReady);
        _thread = new Thread(() => Run(input)) { Name = "serial-in", IsBackground = true };
        _thread.Start();
    }

    public int TryWrite(ReadOnlySpan<byte> data)
    {
        if (IsConnected)
            return _queue.TryWrite(data);
        _queue.CountDropped(data.Length);
        return data.Length;
    }

    public void ResumeInput() => _feeder.Resume();

    public bool Flush(TimeSpan deadline) => _queue.Flush(deadline);

    public bool Write(ReadOnlySpan<byte> data)
    {
        Socket? peer;
        lock (_lock)
            peer = _peer;
        if (peer is null)
            return false;
        try
        {
            while (!data.IsEmpty)
                data = data[peer.Send(data)..];
            return true;
        }
        catch (Exception e) when (IsSocketProblem(e))
        {
            return false;
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
            return;
        _stop.Set();
        _feeder.Stop();
        _listener?.Dispose();
        Disconnect();
        _queue.Dispose();
        if (_thread is null || _thread.Join(s_stopWait))
        {
            _feeder.Dispose();
            _stop.Dispose();
        }

        if (_listener is not null)
            File.Delete(_path);
    }

    private static Socket NewSocket() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    private static bool IsSocketProblem(Exception e) =>
        e is SocketException or IOException or ObjectDisposedException or UnauthorizedAccessException or ArgumentException;

    private static void RemoveStaleSocket(string path)
    {
        if (!File.Exists(path))
            return;
        using Socket probe = NewSocket();
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            if (!IsSocketFile(path))
                throw new SerialBackendException($"serial socket '{path}' cannot be opened: a file that is no socket is there");
            File.Delete(path);
            return;
        }

        throw new SerialBackendException($"serial socket '{path}' cannot be opened: it is in use");
    }

    private static bool IsSocketFile(string path) =>
        Syscall.lstat(path, out Stat status) == 0 && (status.st_mode & FilePermissions.S_IFMT) == FilePermissions.S_IFSOCK;

    private void Run(ISerialInput input)
    {
        byte[] buffer = new byte[SerialInputFeeder.BufferBytes];
        while (!_stop.IsSet)
        {
            try
            {
                Socket peer = ObtainPeer();
                ReadUntilGone(peer, input, buffer);
                Disconnect();
            }
            catch (Exception e) when (IsSocketProblem(e))
            {
                Disconnect();
                if (!_stop.IsSet)
                {
                    LogDisconnected(_logger, _path, e.Message);
                    _stop.Wait(s_reconnectWait);
                }
            }
        }
    }

    private Socket ObtainPeer()
    {
        lock (_lock)
        {
            if (_peer is not null)
                return _peer;
        }

        Socket fresh;
        if (_listener is not null)
        {
            fresh = _listener.Accept();
        }
        else
        {
            _stop.Wait(s_reconnectWait);
            fresh = NewSocket();
            fresh.Connect(new UnixDomainSocketEndPoint(_path));
        }

        lock (_lock)
            _peer = fresh;
        return fresh;
    }

    private void ReadUntilGone(Socket peer, ISerialInput input, byte[] buffer)
    {
        while (!_stop.IsSet)
        {
            int length = peer.Receive(buffer);
            if (length == 0 || !_feeder.Deliver(input, buffer.AsSpan(0, length), () => IsAlive(peer)))
                return;
        }
    }

    // A guest that reads nothing must not keep a client's place after the client has gone: an empty send to a closed peer fails
    // with EPIPE even while its last bytes are still unread.
    private static bool IsAlive(Socket peer)
    {
        try
        {
            peer.Send(ReadOnlySpan<byte>.Empty);
            return true;
        }
        catch (Exception e) when (IsSocketProblem(e))
        {
            return false;
        }
    }

    private void Disconnect()
    {
        Socket? peer;
        lock (_lock)
        {
            peer = _peer;
            _peer = null;
        }

        peer?.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "serial socket '{Path}': {Reason}, trying again")]
    private static partial void LogDisconnected(ILogger logger, string path, string reason);
}
