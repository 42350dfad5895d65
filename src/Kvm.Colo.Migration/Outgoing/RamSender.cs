using System.Diagnostics;
using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Outgoing;

/// <summary>
/// Sends RAM sections: pages of a running guest during the first passes, staged pages of an epoch afterwards. Bytes are gathered and
/// leave in large writes. Belongs to the migration thread.
/// </summary>
internal sealed class RamSender(ILink link, GuestMemory memory, RamSectionEncoder encoder)
{
    private const int BufferBytes = 256 * 1024;
    private const int RoomBytes = RamSectionEncoder.MaxHeadBytes + GuestPage.SizeBytes;

    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _used;
    private long _windowStart = Stopwatch.GetTimestamp();
    private long _windowBytes;

    /// <summary>If set, is fed every byte that belongs to RAM sections.</summary>
    public StreamDigest? Digest { get; set; }

    public ulong NormalPages { get; private set; }

    public ulong ZeroPages { get; private set; }

    /// <summary>Puts bytes of the stream behind those gathered so far.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_used == BufferBytes)
                Flush();
            int part = Math.Min(bytes.Length, BufferBytes - _used);
            bytes[..part].CopyTo(_buffer.AsSpan(_used));
            _used += part;
            bytes = bytes[part..];
        }
    }

    public void Flush()
    {
        if (_used == 0)
            return;
        link.Send(_buffer.AsSpan(0, _used));
        _windowBytes += _used;
        _used = 0;
    }

    /// <summary>
    /// Sends the pages of <paramref name="pages"/> as they are now, in one section, and clears their bits; a page written meanwhile is
    /// in the dirty log again.
    /// </summary>
    /// <param name="pages">Pages to send.</param>
    /// <param name="kind">Part or end.</param>
    /// <param name="bytesPerSecond">Bandwidth limit, 0 for none.</param>
    /// <param name="cancelled">Ends the waits of the limiter, and the transfer.</param>
    /// <param name="onBatch">Called now and then, for progress.</param>
    /// <returns>False when it was cancelled on the way.</returns>
    public bool SendLive(PageBitmap pages, ElementKind kind, long bytesPerSecond, WaitHandle cancelled, Action onBatch)
    {
        BeginSection(kind);
        int sinceBatch = 0;
        for (ulong page = pages.NextSet(0); page < pages.PageCount; page = pages.NextSet(page + 1))
        {
            pages.Clear(page);
            AppendLivePage(page);
            if (++sinceBatch < 256)
                continue;
            sinceBatch = 0;
            onBatch();
            if (!Throttle(bytesPerSecond, cancelled))
                return false;
        }

        EndSection();
        return true;
    }

    /// <summary>Sends records that hold whole pages as one section.</summary>
    public void SendStaged(PageStaging staged, ElementKind kind)
    {
        BeginSection(kind);
        for (int i = 0; i < staged.Count; i++)
        {
            PageRecord record = staged.Record(i);
            AppendPage(record.Page, record.Payload);
        }

        EndSection();
    }

    /// <summary>Puts a whole page into the open section.</summary>
    public void AppendPage(ulong page, ReadOnlySpan<byte> content)
    {
        Span<byte> room = Room(RoomBytes);
        int head = encoder.WritePage(room, 0, page << GuestPage.Shift);
        content.CopyTo(room[head..]);
        Commit(head + content.Length);
        NormalPages++;
    }

    /// <summary>Puts a page of zeros into the open section.</summary>
    public void AppendZero(ulong page)
    {
        Commit(encoder.WriteZeroPage(Room(RamSectionEncoder.MaxHeadBytes), 0, page << GuestPage.Shift));
        ZeroPages++;
    }

    /// <summary>Puts a page into the open section as its difference to what was sent last.</summary>
    public void AppendDelta(ulong page, ReadOnlySpan<byte> delta)
    {
        Span<byte> room = Room(RamSectionEncoder.MaxHeadBytes + delta.Length);
        int head = encoder.WriteDelta(room, 0, page << GuestPage.Shift, delta.Length);
        delta.CopyTo(room[head..]);
        Commit(head + delta.Length);
        NormalPages++;
    }

    /// <summary>Opens a section; records follow.</summary>
    public void BeginSection(ElementKind kind)
    {
        Span<byte> head = Room(ElementCodec.ShortSectionBytes);
        Commit(ElementCodec.WriteSection(head, kind, RamSectionEncoder.SectionId));
    }

    /// <summary>Closes the section.</summary>
    public void EndSection()
    {
        Span<byte> tail = Room(RamPageWord.SizeBytes + ElementCodec.FooterBytes);
        int length = RamSectionEncoder.WriteEndOfSection(tail);
        length += ElementCodec.WriteFooter(tail[length..], RamSectionEncoder.SectionId);
        Commit(length);
    }

    private void AppendLivePage(ulong page)
    {
        ReadOnlySpan<byte> content = memory.Page(page);
        if (PageHash.IsZero(content))
            AppendZero(page);
        else
            AppendPage(page, content);
    }

    private Span<byte> Room(int bytes)
    {
        if (BufferBytes - _used < bytes)
            Flush();
        return _buffer.AsSpan(_used);
    }

    private void Commit(int bytes)
    {
        Digest?.Append(_buffer.AsSpan(_used, bytes));
        _used += bytes;
    }

    /// <summary>
    /// Keeps to a bandwidth, 0 for none: a tenth of a second's budget at a time, as QEMU does it. False when it was cancelled.
    /// </summary>
    public bool Throttle(long bytesPerSecond, WaitHandle cancelled)
    {
        TimeSpan window = TimeSpan.FromMilliseconds(100);
        TimeSpan elapsed = Stopwatch.GetElapsedTime(_windowStart);
        if (elapsed < window && bytesPerSecond > 0 && _windowBytes >= bytesPerSecond / 10)
        {
            if (cancelled.WaitOne(window - elapsed))
                return false;
            elapsed = window;
        }

        if (elapsed >= window)
        {
            _windowStart = Stopwatch.GetTimestamp();
            _windowBytes = 0;
        }

        return !cancelled.WaitOne(0);
    }
}
