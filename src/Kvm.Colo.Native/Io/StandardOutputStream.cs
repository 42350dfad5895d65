using Microsoft.Win32.SafeHandles;

namespace Kvm.Colo.Native.Io;

/// <summary>
/// Writes to an inherited descriptor, such as 1 or 2, and nothing else: unlike System.Console's stream it leaves a terminal as it is,
/// and unlike a FileStream it shares the file's position with others who write there. One write at a time; does not own the descriptor.
/// </summary>
internal sealed class StandardOutputStream(int descriptor) : Stream
{
    private const int PollOut = 4;

    private readonly SafeFileHandle _handle = new(descriptor, ownsHandle: false);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Writes everything, waiting as long as the other end makes it wait.</summary>
    /// <exception cref="NativeException">The kernel refused, for example because nobody reads any more.</exception>
    public override unsafe void Write(ReadOnlySpan<byte> buffer)
    {
        // SAFETY: the kernel reads at most the length of the span, which is pinned for the calls.
        fixed (byte* pointer = buffer)
        {
            int done = 0;
            while (done < buffer.Length)
            {
                long result = Shim.Write(_handle, pointer + done, (ulong)(buffer.Length - done));
                if (result == -(long)Errno.EAGAIN)
                    _ = Shim.Poll(_handle, PollOut, -1);
                else if (result != -(long)Errno.EINTR)
                    done += (int)NativeException.Check("write", result);
            }
        }
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
