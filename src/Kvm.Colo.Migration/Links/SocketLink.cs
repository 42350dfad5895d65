using System.Net.Sockets;

namespace Kvm.Colo.Migration.Links;

/// <summary>A link over a connected stream socket, TCP (without Nagle's delay) or UNIX. Blocking, allocation-free per call.</summary>
internal sealed class SocketLink : ILink
{
    private readonly Socket _socket;
    private long _bytesSent;
    private long _bytesReceived;
    private int _receiveTimeout = -1;
    private int _sendTimeout;

    /// <summary>Takes the socket over; a send that makes no progress for <paramref name="sendDeadline"/> fails.</summary>
    public SocketLink(Socket socket, string description, TimeSpan sendDeadline)
    {
        _socket = socket;
        Description = description;
        socket.Blocking = true;
        socket.SendTimeout = _sendTimeout = (int)sendDeadline.TotalMilliseconds;
        if (socket.ProtocolType == ProtocolType.Tcp)
            socket.NoDelay = true;
    }

    public string Description { get; }

    public TimeSpan SendDeadline
    {
        set
        {
            try
            {
                _socket.SendTimeout = _sendTimeout = Math.Max(1, (int)Math.Min(value.TotalMilliseconds, int.MaxValue));
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                throw Failure("set up", e);
            }
        }
    }

    public long BytesSent => Volatile.Read(ref _bytesSent);

    public long BytesReceived => Volatile.Read(ref _bytesReceived);

    public void Send(ReadOnlySpan<byte> data)
    {
        long start = Environment.TickCount64;
        try
        {
            while (!data.IsEmpty)
            {
                int sent = _socket.Send(data);
                _bytesSent += sent;
                data = data[sent..];
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // A send that waits while the peer hangs up may end as one that timed out.
            throw Failure("send to", e, isEarly: Environment.TickCount64 - start < _sendTimeout / 2);
        }
    }

    public int Receive(Span<byte> buffer, TimeSpan deadline)
    {
        int milliseconds = deadline == Timeout.InfiniteTimeSpan ? 0 : Math.Max(1, (int)Math.Min(deadline.TotalMilliseconds, int.MaxValue));
        try
        {
            if (milliseconds != _receiveTimeout)
                _socket.ReceiveTimeout = _receiveTimeout = milliseconds;
            int received = _socket.Receive(buffer);
            _bytesReceived += received;
            return received;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw Failure("receive from", e);
        }
    }

    public void Shutdown()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Already down: that is what was asked for.
        }
    }

    public void Dispose() => _socket.Dispose();

    private LinkException Failure(string what, Exception e, bool isEarly = false)
    {
        SocketError error = (e as SocketException)?.SocketErrorCode ?? SocketError.Shutdown;
        if (isEarly && error is (SocketError.TimedOut or SocketError.WouldBlock))
            e = new SocketException((int)(error = SocketError.ConnectionReset));
        bool timeout = error is SocketError.TimedOut or SocketError.WouldBlock;
        string why = timeout ? "no progress in time" : e is SocketException ? e.Message : "closed on this side";
        return new LinkException($"cannot {what} {Description}: {why}", e) { IsTimeout = timeout };
    }
}
