namespace Kvm.Colo.Memory;

/// <summary>
/// Bounded native memory that holds the pages of one epoch as records of a fixed stride: <see cref="HeaderBytes"/> for the caller, then
/// the page. Chunks are kept for the next epoch, so a steady state allocates nothing. One owner thread at a time.
/// </summary>
internal sealed class PageStaging(ulong maxPages) : IDisposable
{
    public const int HeaderBytes = 8;
    public const int RecordBytes = HeaderBytes + GuestPage.SizeBytes;
    public const int RecordsPerChunk = 256;

    private readonly List<NativeMapping> _chunks = [];

    public ulong MaxPages { get; } = maxPages;

    public int Count { get; private set; }

    /// <summary>Bytes of native memory held, for accounting.</summary>
    public ulong HeldBytes => (ulong)_chunks.Count * RecordsPerChunk * RecordBytes;

    public void Reset() => Count = 0;

    /// <summary>Room for one more record, or false when the bound is reached.</summary>
    public bool TryAdd(out Span<byte> record)
    {
        if ((ulong)Count >= MaxPages)
        {
            record = default;
            return false;
        }

        if (Count / RecordsPerChunk == _chunks.Count)
            _chunks.Add(NativeMapping.Anonymous(RecordsPerChunk * RecordBytes));
        Count++;
        record = Record(Count - 1);
        return true;
    }

    /// <summary>Takes the record added last back.</summary>
    public void RemoveLast() => Count = Math.Max(0, Count - 1);

    public Span<byte> Record(int index)
    {
        if ((uint)index >= (uint)Count)
            throw new ArgumentOutOfRangeException(nameof(index), $"record {index} of {Count}");
        return _chunks[index / RecordsPerChunk].Slice((ulong)(index % RecordsPerChunk) * RecordBytes, RecordBytes);
    }

    /// <summary>As many whole records from <paramref name="first"/> on as lie together, at most <paramref name="max"/>; never empty below Count.</summary>
    public ReadOnlySpan<byte> Run(int first, int max, out int records)
    {
        records = Math.Max(0, Math.Min(Math.Min(RecordsPerChunk - (first % RecordsPerChunk), Count - first), max));
        return records == 0 ? [] : _chunks[first / RecordsPerChunk].Slice((ulong)(first % RecordsPerChunk) * RecordBytes, records * RecordBytes);
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
