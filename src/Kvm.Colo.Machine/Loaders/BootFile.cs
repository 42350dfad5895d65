using Kvm.Colo.Native;
using Kvm.Colo.Native.Io;

namespace Kvm.Colo.Machine.Loaders;

/// <summary>Reads the files a user names, with a bound.</summary>
internal static class BootFile
{
    public const long MaxBytes = 1L << 30;

    /// <summary>Reads a whole file of at most 1 GiB.</summary>
    /// <exception cref="BootImageException">
    /// It is missing, unreadable, empty or too large; <paramref name="what"/> names it.
    /// </exception>
    public static byte[] Read(string path, string what)
    {
        try
        {
            RequireFile(path, what);
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            long length = file.Length;
            if (length is 0 or > MaxBytes)
                throw new BootImageException($"{what} '{path}' has {length} bytes, 1 to {MaxBytes} are possible");
            byte[] content = new byte[length];
            file.ReadExactly(content);
            return content;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new BootImageException($"{what} '{path}' cannot be read: {e.Message}", e);
        }
    }

    // Opening a FIFO would wait for its other end.
    private static void RequireFile(string path, string what)
    {
        const int nonBlocking = 0x800;
        long opened = Shim.Open(path, nonBlocking, 0);
        if (opened < 0)
            return; // the reader says why
        using var file = new SafeDescriptor(opened);
        if (NativeFile.Info(file, out NativeFileKind kind, out _) >= 0 && kind != NativeFileKind.Regular)
            throw new BootImageException($"{what} '{path}' is not a regular file");
    }
}
