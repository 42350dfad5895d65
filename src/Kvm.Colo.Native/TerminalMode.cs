namespace Kvm.Colo.Native;

/// <summary>
/// A terminal in raw mode: every key goes to the reader as it is, no echo, no signals from keys. Restored once, by whichever of
/// Dispose, a signal handler or the end of the process comes first; any thread.
/// </summary>
internal sealed class TerminalMode : IDisposable
{
    // struct termios has 60 bytes on Linux; the shim refuses a smaller buffer.
    private const int SavedBytes = 64;

    private readonly int _descriptor;
    private byte[]? _saved;

    private TerminalMode(int descriptor, byte[] saved)
    {
        _descriptor = descriptor;
        _saved = saved;
    }

    /// <summary>Switches the terminal at a descriptor (0 is standard input) to raw mode; null when it is no terminal.</summary>
    public static unsafe TerminalMode? TryEnterRaw(int descriptor)
    {
        byte[] saved = new byte[SavedBytes];

        // SAFETY: the shim writes at most the size it is given, and the array is pinned for the call.
        fixed (byte* pointer = saved)
        {
            if (Shim.TerminalRaw(descriptor, pointer, (ulong)saved.Length) < 0)
                return null;
        }

        return new TerminalMode(descriptor, saved);
    }

    /// <summary>Puts the terminal back as it was found.</summary>
    public unsafe void Dispose()
    {
        if (Interlocked.Exchange(ref _saved, null) is not { } saved)
            return;

        // SAFETY: the shim reads one struct termios, which TryEnterRaw has stored here.
        fixed (byte* pointer = saved)
            _ = Shim.TerminalRestore(_descriptor, pointer, (ulong)saved.Length);
    }
}
