using Microsoft.Win32.SafeHandles;
using Mono.Unix.Native;

namespace Kvm.Colo.Cli.Terminal;

/// <summary>
/// Standard input for the guest's serial line. A read that waits ends when the stream is disposed, so that the end of the VM
/// does not wait for a key. One reader; any thread disposes.
/// </summary>
internal sealed class TerminalInput : System.IO.Stream
{
    private const int StandardInput = 0;
    private const string Help = "\ncolo-vm: Ctrl-A x ends the VM, Ctrl-A Ctrl-A sends Ctrl-A\n";

    private readonly FileStream _input =
        new(new SafeFileHandle(StandardInput, ownsHandle: false), FileAccess.Read, bufferSize: 0);
    private readonly EscapeFilter? _escapes;
    private readonly Action _quit;
    private readonly int _wakeReader;
    private int _wakeWriter;

    /// <summary>Opens standard input.</summary>
    /// <param name="hasEscapes">Whether Ctrl-A is ours: on a terminal in raw mode.</param>
    /// <param name="quit">Called once Ctrl-A x was typed.</param>
    public TerminalInput(bool hasEscapes, Action quit)
    {
        _escapes = hasEscapes ? new EscapeFilter() : null;
        _quit = quit;
        if (Syscall.pipe(out _wakeReader, out _wakeWriter) < 0)
            throw new IOException($"pipe: {Stdlib.strerror(Stdlib.GetLastError())}");
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        while (WaitForKey())
        {
            int length = _input.Read(buffer);
            if (length == 0)
                return 0;
            int kept = _escapes?.Filter(buffer[..length]) ?? length;
            if (_escapes is { HelpRequested: true })
            {
                _escapes.HelpRequested = false;
                Messages.Write(Help);
            }

            if (_escapes is { QuitRequested: true })
            {
                _quit();
                return 0;
            }

            if (kept > 0)
                return kept;
        }

        return 0;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        // The reader's end of the pipe stays: the reader may be inside poll, and the process ends soon.
        int writer = Interlocked.Exchange(ref _wakeWriter, -1);
        if (writer >= 0)
            _ = Syscall.close(writer);
        base.Dispose(disposing);
    }

    // False when the stream was disposed: the pipe has no writer any more.
    private bool WaitForKey()
    {
        Pollfd[] waits =
        [
            new Pollfd { fd = StandardInput, events = PollEvents.POLLIN },
            new Pollfd { fd = _wakeReader, events = PollEvents.POLLIN },
        ];
        while (Syscall.poll(waits, -1) < 0)
        {
            if (Stdlib.GetLastError() != Errno.EINTR)
                return false;
        }

        return waits[1].revents == 0;
    }
}
