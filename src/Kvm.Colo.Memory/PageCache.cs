namespace Kvm.Colo.Memory;

/// <summary>
/// Keeps what pages were when they were last sent, so that the next time only the difference need travel. Bounded; a page that was used
/// in this or the last generation is not thrown out for another, so a working set larger than the cache keeps a part instead of
/// nothing. One owner thread.
/// </summary>
internal sealed class PageCache : IDisposable
{
    private readonly PageIndex _slotOfPage;
    private readonly NativeMapping _contents;
    private readonly ulong[] _pageOfSlot;
    private readonly uint[] _generationOfSlot;
    private int _used;
    private int _hand;
    private uint _generation = 2;

    /// <summary>A cache of <paramref name="capacity"/> pages (at least one) over a guest of <paramref name="pageCount"/>.</summary>
    public PageCache(ulong pageCount, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        _slotOfPage = new PageIndex(pageCount);
        _contents = NativeMapping.Anonymous((ulong)capacity * GuestPage.SizeBytes);
        _pageOfSlot = new ulong[capacity];
        _generationOfSlot = new uint[capacity];
    }

    public int Count => _used;

    /// <summary>Begins the next epoch.</summary>
    public void NextGeneration() => _generation++;

    /// <summary>The page as it was last sent, or empty. To be overwritten with what is sent now.</summary>
    public Span<byte> Find(ulong page)
    {
        int slot = _slotOfPage[page];
        if (slot < 0)
            return [];
        _generationOfSlot[slot] = _generation;
        return Content(slot);
    }

    /// <summary>The page as it was last sent, or empty; whether it is asked for in this generation is another matter.</summary>
    public ReadOnlySpan<byte> Peek(ulong page)
    {
        int slot = _slotOfPage[page];
        return slot < 0 ? [] : Content(slot);
    }

    /// <summary>Has the line around one byte of a page fetched that will be asked for soon.</summary>
    public void Prefetch(ulong page, int position)
    {
        int slot = _slotOfPage[page];
        if (slot >= 0)
            NextPages.Prefetch(ref Content(slot)[position]);
    }

    /// <summary>Remembers a page that was not there, if there is room or an old one to throw out.</summary>
    public void Add(ulong page, ReadOnlySpan<byte> content)
    {
        int slot = TakeSlot();
        if (slot < 0)
            return;
        _pageOfSlot[slot] = page;
        _generationOfSlot[slot] = _generation;
        _slotOfPage[page] = slot;
        content.CopyTo(Content(slot));
    }

    public void Dispose()
    {
        _slotOfPage.Dispose();
        _contents.Dispose();
    }

    private int TakeSlot()
    {
        if (_used < _pageOfSlot.Length)
            return _used++;

        // A few steps of the hand; whoever finds nothing old enough goes without.
        for (int step = 0; step < 8; step++)
        {
            int slot = _hand;
            _hand = (_hand + 1) % _pageOfSlot.Length;
            if (_generation - _generationOfSlot[slot] < 2)
                continue;
            _slotOfPage.Remove(_pageOfSlot[slot]);
            return slot;
        }

        return -1;
    }

    private Span<byte> Content(int slot) => _contents.Slice((ulong)slot * GuestPage.SizeBytes, GuestPage.SizeBytes);
}
