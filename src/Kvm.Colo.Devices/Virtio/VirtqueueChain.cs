using Kvm.Colo.Memory;
using Kvm.Colo.Native.Io;

namespace Kvm.Colo.Devices.Virtio;

/// <summary>
/// A descriptor chain as it was read, once, when it was taken: first the buffers the device reads, then those it writes. Made
/// once with room for the longest legal chain and filled again and again. Belongs to whoever took it.
/// </summary>
internal sealed class VirtqueueChain(int capacity)
{
    private readonly GuestSegment[] _segments = new GuestSegment[capacity];
    private int _count;

    public int Capacity => _segments.Length;

    /// <summary>Number of the first descriptor; the driver's name for the chain.</summary>
    public ushort Head { get; private set; }

    public ulong ReadableBytes { get; private set; }

    public ulong WritableBytes { get; private set; }

    /// <summary>The buffers the device reads.</summary>
    public ReadOnlySpan<GuestSegment> Readable => _segments.AsSpan(0, ReadableCount);

    /// <summary>The buffers the device writes.</summary>
    public ReadOnlySpan<GuestSegment> Writable => _segments.AsSpan(ReadableCount, _count - ReadableCount);

    private int ReadableCount { get; set; }

    public void Begin(ushort head)
    {
        Head = head;
        _count = 0;
        ReadableCount = 0;
        ReadableBytes = 0;
        WritableBytes = 0;
    }

    /// <summary>Adds a buffer; false when a readable one follows a writable one (section 2.7.4.2) or there is no room.</summary>
    public bool TryAdd(GuestSegment segment, bool isWritable)
    {
        if (_count == _segments.Length || (!isWritable && _count > ReadableCount))
            return false;
        _segments[_count++] = segment;
        if (isWritable)
        {
            WritableBytes += segment.LengthBytes;
        }
        else
        {
            ReadableCount++;
            ReadableBytes += segment.LengthBytes;
        }

        return true;
    }

    /// <summary>
    /// Copies from the readable buffers, at most what they hold from <paramref name="offset"/>; returns how many bytes.
    /// </summary>
    public int Read(GuestMemory memory, ulong offset, Span<byte> destination)
    {
        int done = 0;
        foreach (GuestSegment segment in Readable)
        {
            if (offset >= segment.LengthBytes)
            {
                offset -= segment.LengthBytes;
                continue;
            }

            int part = (int)Math.Min((ulong)(destination.Length - done), segment.LengthBytes - offset);
            if (part == 0 || !memory.TryRead(segment.Address + offset, destination.Slice(done, part)))
                break;
            done += part;
            offset = 0;
        }

        return done;
    }

    /// <summary>
    /// Copies into the writable buffers, at most what they hold from <paramref name="offset"/>; returns how many bytes.
    /// </summary>
    public int Write(GuestMemory memory, ulong offset, ReadOnlySpan<byte> source)
    {
        int done = 0;
        foreach (GuestSegment segment in Writable)
        {
            if (offset >= segment.LengthBytes)
            {
                offset -= segment.LengthBytes;
                continue;
            }

            int part = (int)Math.Min((ulong)(source.Length - done), segment.LengthBytes - offset);
            if (part == 0 || !memory.TryWrite(segment.Address + offset, source.Slice(done, part)))
                break;
            done += part;
            offset = 0;
        }

        return done;
    }

    /// <summary>
    /// Appends the host ranges of <paramref name="lengthBytes"/> bytes from <paramref name="offset"/>, of the writable buffers or
    /// of the readable ones; false when they do not hold that many or the list is full.
    /// </summary>
    public bool TryMap(GuestMemory memory, bool writable, ulong offset, ulong lengthBytes, IoVectors vectors)
    {
        foreach (GuestSegment segment in writable ? Writable : Readable)
        {
            if (lengthBytes == 0)
                return true;
            if (offset >= segment.LengthBytes)
            {
                offset -= segment.LengthBytes;
                continue;
            }

            ulong part = Math.Min(lengthBytes, segment.LengthBytes - offset);
            if (!memory.TryGetHostRange(segment.Address + offset, part, out nuint hostAddress)
                || !vectors.TryAdd(hostAddress, part))
                return false;
            lengthBytes -= part;
            offset = 0;
        }

        return lengthBytes == 0;
    }

    /// <summary>Marks the first bytes of the writable buffers as written, after the kernel wrote them.</summary>
    public void MarkWritten(GuestMemory memory, ulong lengthBytes)
    {
        foreach (GuestSegment segment in Writable)
        {
            if (lengthBytes == 0)
                return;
            ulong part = Math.Min(lengthBytes, segment.LengthBytes);
            memory.MarkWritten(segment.Address, part);
            lengthBytes -= part;
        }
    }
}
