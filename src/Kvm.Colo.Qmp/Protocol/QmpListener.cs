using System.Net;
using System.Net.Sockets;

namespace Kvm.Colo.Qmp.Protocol;

/// <summary>One listening socket and the thread that accepts from it.</summary>
internal sealed class QmpListener : IDisposable
{
    private const int Backlog = 16;
    private const int SolSocket = 1;
    private const int SoReuseAddr = 2;

    private readonly Socket _socket;
    private readonly Action<Socket, QmpTlsOptions?> _accepted;
    private readonly QmpTlsOptions? _tls;
    private readonly Action<string>? _log;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _end = new();
    private int _disposed;

    /// <summary>Listens and starts to accept.</summary>
    /// <exception cref="QmpListenException">The address is taken, not allowed or not there.</exception>
    public QmpListener(QmpAddress address, QmpTlsOptions? tls, Action<Socket, QmpTlsOptions?> accepted, Action<string>? log)
    {
        _tls = tls;
        _accepted = accepted;
        _log = log;
        _socket = address.Path is null ? ListenTcp(address, tls) : QmpUnixSocket.Listen(address, Backlog);
        Address = _socket.LocalEndPoint is IPEndPoint bound ? address.WithPort(bound.Port) : address;
        _thread = new Thread(Accept, maxStackSize: 256 * 1024) { Name = "qmp-accept", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Where it listens, with the port the kernel gave when 0 was asked for.</summary>
    public QmpAddress Address { get; }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _end.Set();
        if (Address.Path is not null)
            File.Delete(Address.Path);
        _socket.Dispose();
        _thread.Join();
        _end.Dispose();
    }

    private static Socket ListenTcp(QmpAddress address, QmpTlsOptions? tls)
    {
        try
        {
            IPAddress[] found = IPAddress.TryParse(address.Host, out IPAddress? literal)
                ? [literal]
                : Dns.GetHostAddresses(address.Host!);
            if (found.Length == 0)
                throw new QmpListenException(address, "the host name has no address");
            if (tls is null && !IPAddress.IsLoopback(found[0]))
            {
                throw new QmpListenException(address,
                    "off loopback a monitor needs TLS with client certificates, for whoever reaches it owns the machine");
            }
            var socket = new Socket(found[0].AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                // The typed option would set SO_REUSEPORT too and let two processes share the port.
                socket.SetRawSocketOption(SolSocket, SoReuseAddr, BitConverter.GetBytes(1));
                socket.Bind(new IPEndPoint(found[0], address.Port));
                socket.Listen(Backlog);
                return socket;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        catch (SocketException failure)
        {
            throw new QmpListenException(address, failure);
        }
    }

    private void Accept()
    {
        while (!_end.IsSet)
        {
            Socket client;
            try
            {
                client = _socket.Accept();
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
            {
                if (_end.IsSet)
                    return;
                if (failure is not SocketException { SocketErrorCode: SocketError.ConnectionAborted or SocketError.Interrupted })
                    _log?.Invoke($"{Address}: cannot accept: {failure.Message}");
                if (failure is not SocketException)
                    return;

                // Out of descriptors, say: the pending connection stays, so pause before the next look at it.
                _end.Wait(TimeSpan.FromMilliseconds(10));
                continue;
            }
            if (client.ProtocolType == ProtocolType.Tcp)
                client.NoDelay = true;
            _accepted(client, _tls);
        }
    }
}
