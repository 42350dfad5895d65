using System.Globalization;
using System.Net.Sockets;
using Mono.Unix.Native;

namespace Kvm.Colo.Qmp.Protocol;

/// <summary>A listening unix socket that nobody but its owner can ever connect to.</summary>
internal static class QmpUnixSocket
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// Bound in a private directory, set to mode 0600 and moved into place: at no moment can another user connect. The move
    /// replaces a stale socket at once; one that answers is left alone.
    /// </summary>
    public static Socket Listen(QmpAddress address, int backlog)
    {
        if (!OperatingSystem.IsLinux())
            throw new PlatformNotSupportedException("KVM is Linux");
        string path = Path.GetFullPath(address.Path!);
        string directory = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(directory))
            throw new QmpListenException(address, $"there is no directory {directory}");
        RefuseOccupied(address, path);

        string shelter = Path.Combine(directory, ".q" + Guid.NewGuid().ToString("n", CultureInfo.InvariantCulture)[..8]);
        string sheltered = Path.Combine(shelter, "s");
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            Directory.CreateDirectory(shelter, OwnerOnly | UnixFileMode.UserExecute);
            socket.Bind(new UnixDomainSocketEndPoint(sheltered));
            File.SetUnixFileMode(sheltered, OwnerOnly);
            socket.Listen(backlog);
            if (Syscall.rename(sheltered, path) != 0)
                throw new IOException(Stdlib.GetLastError().ToString());
            return socket;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or SocketException
            or ArgumentOutOfRangeException)
        {
            socket.Dispose();
            throw new QmpListenException(address, failure is ArgumentOutOfRangeException
                ? new IOException("the path is too long for a unix socket (107 bytes, 11 of them for us)")
                : failure);
        }
        finally
        {
            if (Directory.Exists(shelter))
                Directory.Delete(shelter, recursive: true);
        }
    }

    private static void RefuseOccupied(QmpAddress address, string path)
    {
        if (Syscall.lstat(path, out Stat status) != 0)
            return;
        if ((status.st_mode & FilePermissions.S_IFMT) != FilePermissions.S_IFSOCK)
            throw new QmpListenException(address, "the file exists and is not a socket (remove it or choose another path)");
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return;
        }
        catch (SocketException failure)
        {
            // A full backlog says "would block", a foreign owner "denied": there is somebody in both cases.
            throw new QmpListenException(address, $"another process listens there ({failure.Message})");
        }
        throw new QmpListenException(address, "another process listens there (end it or choose another path)");
    }
}
