using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using Microsoft.Win32.SafeHandles;

namespace Kvm.Colo.Migration.Links;

/// <summary>Opens links: connects, or reads and writes files, commands and inherited descriptors.</summary>
internal static class LinkFactory
{
    /// <summary>A send that makes no progress for this long means the peer is lost.</summary>
    public static readonly TimeSpan SendDeadline = TimeSpan.FromSeconds(10);

    /// <summary>Opens the sending end.</summary>
    /// <exception cref="LinkException">Refused, unreachable, or not within <paramref name="deadline"/>.</exception>
    public static ILink Connect(MigrationUri uri, TimeSpan deadline)
    {
        try
        {
            return uri.Transport switch
            {
                MigrationTransport.Tcp => ConnectSocket(new DnsEndPoint(uri.Target, uri.Port), ProtocolType.Tcp, uri, deadline),
                MigrationTransport.Unix => ConnectSocket(new UnixDomainSocketEndPoint(uri.Target), ProtocolType.Unspecified, uri, deadline),
                MigrationTransport.File => OpenFile(uri, write: true),
                MigrationTransport.Exec => StartCommand(uri, write: true),
                _ => OpenDescriptor(uri),
            };
        }
        catch (Exception e) when (e is IOException and not LinkException or SocketException or UnauthorizedAccessException
            or ArgumentException or System.ComponentModel.Win32Exception or OperationCanceledException)
        {
            throw new LinkException($"Failed to connect to '{uri}': {e.Message}", e);
        }
    }

    /// <summary>Opens the receiving end of an address that is not listened on: file, exec, fd.</summary>
    /// <exception cref="LinkException">It cannot be opened.</exception>
    public static ILink OpenIncoming(MigrationUri uri)
    {
        try
        {
            return uri.Transport switch
            {
                MigrationTransport.File => OpenFile(uri, write: false),
                MigrationTransport.Exec => StartCommand(uri, write: false),
                _ => OpenDescriptor(uri),
            };
        }
        catch (Exception e) when (e is IOException and not LinkException or UnauthorizedAccessException or ArgumentException
            or System.ComponentModel.Win32Exception)
        {
            throw new LinkException($"cannot open {uri}: {e.Message}", e);
        }
    }

    private static SocketLink ConnectSocket(EndPoint peer, ProtocolType protocol, MigrationUri uri, TimeSpan deadline)
    {
        // Said here, because a SocketException turns ENOENT into "cannot assign requested address".
        if (uri.Transport == MigrationTransport.Unix && !File.Exists(uri.Target))
            throw new LinkException($"Failed to connect to '{uri}': No such file or directory");
        Socket socket = protocol == ProtocolType.Tcp
            ? new Socket(SocketType.Stream, protocol)
            : new Socket(AddressFamily.Unix, SocketType.Stream, protocol);
        try
        {
            ConnectBlocking(socket, peer, uri, deadline);
            return new SocketLink(socket, uri.ToString(), SendDeadline);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // On a thread of its own for the sake of the deadline. An asynchronous connect would leave the socket non-blocking for life, and the
    // runtime then hands every receive over between three threads.
    private static void ConnectBlocking(Socket socket, EndPoint peer, MigrationUri uri, TimeSpan deadline)
    {
        Exception? failure = null;
        Thread connecting = new(() =>
        {
            try
            {
                socket.Connect(peer);
            }
            catch (Exception e)
            {
                failure = e;
            }
        })
        {
            Name = "connect",
            IsBackground = true,
        };
        connecting.Start();
        if (!connecting.Join(deadline))
            throw new LinkException($"Failed to connect to '{uri}': no answer within {deadline.TotalSeconds:0.#} s") { IsTimeout = true };
        if (failure is not null)
            ExceptionDispatchInfo.Capture(failure).Throw();
    }

    private static StreamLink OpenFile(MigrationUri uri, bool write)
    {
        FileStream file = write
            ? new FileStream(uri.Target, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0)
            : new FileStream(uri.Target, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        return new StreamLink(write ? file : null, write ? null : file, uri.ToString());
    }

    private static StreamLink StartCommand(MigrationUri uri, bool write)
    {
        ProcessStartInfo start = new("/bin/sh", ["-c", uri.Target])
        {
            RedirectStandardInput = write,
            RedirectStandardOutput = !write,
        };
        Process process = Process.Start(start) ?? throw new LinkException($"cannot start {uri}");
        return new StreamLink(
            write ? process.StandardInput.BaseStream : null,
            write ? null : process.StandardOutput.BaseStream,
            uri.ToString(),
            () =>
            {
                process.WaitForExit(TimeSpan.FromSeconds(10));
                process.Dispose();
            });
    }

    private static ILink OpenDescriptor(MigrationUri uri)
    {
        if (!Path.Exists($"/proc/self/fd/{uri.Port}"))
            throw new LinkException($"cannot open {uri}: no such descriptor was inherited");
        try
        {
            Socket socket = new(new SafeSocketHandle(uri.Port, ownsHandle: true));
            return new SocketLink(socket, uri.ToString(), SendDeadline);
        }
        catch (SocketException)
        {
            FileStream file = new(new SafeFileHandle(uri.Port, ownsHandle: true), FileAccess.ReadWrite, bufferSize: 0);
            return new StreamLink(file, file, uri.ToString());
        }
    }
}
