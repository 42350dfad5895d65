using System.Net;
using System.Net.Sockets;
using Mono.Unix;

namespace Kvm.Colo.Migration.Links;

/// <summary>Waits on a tcp or unix address for the one peer of a migration.</summary>
internal sealed class LinkListener : IDisposable
{
    private readonly Socket _socket;
    private readonly MigrationUri _uri;
    private readonly string? _path;

    /// <summary>Binds and listens; a stale UNIX socket is replaced, a live one refused.</summary>
    /// <exception cref="LinkException">The address is in use or not ours.</exception>
    public LinkListener(MigrationUri uri)
    {
        _uri = uri;
        try
        {
            if (uri.Transport == MigrationTransport.Unix)
            {
                if (Path.GetDirectoryName(Path.GetFullPath(uri.Target)) is { } directory && !Directory.Exists(directory))
                    throw new IOException($"there is no directory {directory}");
                RemoveStale(uri.Target);
                _socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                _socket.Bind(new UnixDomainSocketEndPoint(uri.Target));
                _path = uri.Target;
                File.SetUnixFileMode(uri.Target, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }
            else
            {
                IPAddress address = IPAddress.TryParse(uri.Target, out IPAddress? parsed) ? parsed : Dns.GetHostAddresses(uri.Target)[0];
                _socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                _socket.Bind(new IPEndPoint(address, uri.Port));
            }

            _socket.Listen(1);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            _socket?.Dispose();
            throw new LinkException($"cannot listen on {uri}: {e.Message}", e);
        }
    }

    /// <summary>Where it listens, with the port the kernel chose when it was asked for any.</summary>
    public MigrationUri BoundUri => _socket.LocalEndPoint is IPEndPoint bound ? _uri with { Port = bound.Port } : _uri;

    /// <summary>Waits for a peer; disposing this ends the wait.</summary>
    /// <exception cref="LinkException">The listener was closed.</exception>
    public ILink Accept()
    {
        try
        {
            Socket peer = _socket.Accept();
            string description = peer.RemoteEndPoint is IPEndPoint remote ? $"tcp:{remote}" : _uri.ToString();
            return new SocketLink(peer, description, LinkFactory.SendDeadline);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new LinkException($"no longer listening on {_uri}", e);
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        if (_path is not null)
            File.Delete(_path);
    }

    private static void RemoveStale(string path)
    {
        if (!File.Exists(path))
            return;
        if (!UnixFileSystemInfo.GetFileSystemEntry(path).IsSocket)
            throw new IOException("a file that is no socket is there");
        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path); // nobody listens: its owner is gone
            return;
        }

        throw new IOException("another process listens there");
    }
}
