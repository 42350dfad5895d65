namespace Kvm.Colo.Memory;

/// <summary>
/// Bounded native memory that holds the pages of one epoch as records. Their heads lie side by side, apart from their rooms for a page: an
/// epoch of small differences is a walk through a few KiB. Memory is kept for the next epoch, so a steady state allocates nothing. One
/// owner thread at a time.
/// </summary>
internal sealed class PageStaging(ulong maxPages) : IDisposable
{
    public const int RecordsPerChunk = 256;

    /// <summary>Memory of one chunk, its records' heads and rooms.</summary>
    public const int ChunkBytes = RecordsPerChunk * (PageRecord.HeadBytes + GuestPage.SizeBytes);

    private const int RoomStart = RecordsPerChunk * PageRecord.HeadBytes;

    private readonly List<NativeMapping> _chunks = [];

    public ulong MaxPages { get; } = maxPages;

    public int Count { get; private set; }

    /// <summary>Bytes of native memory held, for accounting; what was not touched among them costs nothing.</summary>
    public ulong HeldBytes => (ulong)_chunks.Count * ChunkBytes;

    public void Reset() => Count = 0;

    /// <summary>Room for one more record, or false when the bound is reached. What it holds is left over.</summary>
    public bool TryAdd(out PageRecord record)
    {
        if ((ulong)Count >= MaxPages)
        {
            record = default;
            return false;
        }

        if (Count / RecordsPerChunk == _chunks.Count)
            _chunks.Add(NativeMapping.Anonymous(ChunkBytes));
        Count++;
        record = Record(Count - 1);
        return true;
    }

    /// <summary>Takes the record added last back.</summary>
    public void RemoveLast() => Count = Math.Max(0, Count - 1);

    public PageRecord Record(int index)
    {
        if ((uint)index >= (uint)Count)
            throw new ArgumentOutOfRangeException(nameof(index), $"record {index} of {Count}");
        NativeMapping chunk = _chunks[index / RecordsPerChunk];
        int within = index % RecordsPerChunk;
        return new PageRecord(
            chunk.Slice((ulong)within * PageRecord.HeadBytes, PageRecord.HeadBytes),
            chunk.Slice(RoomStart + ((ulong)within * GuestPage.SizeBytes), GuestPage.SizeBytes));
    }

    /// <summary>Gives the chunks beyond <paramref name="pages"/> back to the kernel.</summary>
    public void Trim(int pages)
    {
        int keep = Math.Max((Math.Max(pages, Count) + RecordsPerChunk - 1) / RecordsPerChunk, 1);
        for (int i = _chunks.Count - 1; i >= keep; i--)
        {
            _chunks[i].Dispose();
            _chunks.RemoveAt(i);
        }
    }

    public void Dispose()
    {
        foreach (NativeMapping chunk in _chunks)
            chunk.Dispose();
        _chunks.Clear();
        Count = 0;
    }
}
