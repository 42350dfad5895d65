using System.Net;
using System.Net.Sockets;

namespace Kvm.Colo.TestKit;

/// <summary>Has the guest <c>net</c> (images/guests/net.c) send datagrams back, one after the other; each has a number of its own.</summary>
internal sealed class EchoClient : IDisposable
{
    public const int Port = 7;
    public const int MaxBytes = 1472;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly byte[] _sent = new byte[MaxBytes];
    private readonly byte[] _received = new byte[MaxBytes + 1];

    public EchoClient(IPAddress guest) => _socket.Connect(new IPEndPoint(guest, Port));

    /// <summary>Datagrams sent so far.</summary>
    public long Number { get; private set; }

    /// <summary>Whether the next datagram came back in time and as it was; an older one that comes late is passed over.</summary>
    /// <param name="sizeBytes">8 to <see cref="MaxBytes"/>.</param>
    /// <param name="deadline">How long an answer may take.</param>
    public bool TryExchange(int sizeBytes, TimeSpan deadline)
    {
        BitConverter.TryWriteBytes(_sent, ++Number);
        _socket.ReceiveTimeout = (int)deadline.TotalMilliseconds;
        try
        {
            _socket.Send(_sent.AsSpan(0, sizeBytes));
            while (true)
            {
                int length = _socket.Receive(_received);
                if (length >= sizeof(long) && BitConverter.ToInt64(_received) == Number)
                    return _received.AsSpan(0, length).SequenceEqual(_sent.AsSpan(0, sizeBytes));
            }
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.HostUnreachable or SocketError.ConnectionRefused)
        {
            return false;
        }
    }

    public void Dispose() => _socket.Dispose();
}
