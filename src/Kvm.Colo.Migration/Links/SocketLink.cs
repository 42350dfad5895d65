using System.Net.Sockets;

namespace Kvm.Colo.Migration.Links;

/// <summary>A link over a connected stream socket, TCP (without Nagle's delay) or UNIX. Blocking, allocation-free per call.</summary>
internal sealed class SocketLink : ILink
{
    private readonly Socket _socket;
    private long _bytesSent;
    private long _bytesReceived;
    private int _receiveTimeout = -1;

    /// <summary>Takes the socket over; a send that makes no progress for <paramref name="sendDeadline"/> fails.</summary>
    public SocketLink(Socket socket, string description, TimeSpan sendDeadline)
    {
        _socket = socket;
        Description = description;
        socket.Blocking = true;
        socket.SendTimeout = (int)sendDeadline.TotalMilliseconds;
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
                _socket.SendTimeout = Math.Max(1, (int)Math.Min(value.TotalMilliseconds, int.MaxValue));
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
            throw Failure("send to", e);
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

    private LinkException Failure(string what, Exception e)
    {
        SocketError error = (e as SocketException)?.SocketErrorCode ?? SocketError.Shutdown;
        bool timeout = error is SocketError.TimedOut or SocketError.WouldBlock;
        string why = timeout ? "no progress in time" : e is SocketException ? e.Message : "closed on this side";
        return new LinkException($"cannot {what} {Description}: {why}", e) { IsTimeout = timeout };
    }
}
