using System.Numerics;

namespace Kvm.Colo.Memory;

/// <summary>
/// One bit per guest page over all RAM, in native memory so that KVM can fill it. <see cref="Mark"/> is safe from any thread;
/// everything else belongs to the thread that harvests.
/// </summary>
internal sealed unsafe class PageBitmap : IDisposable
{
    private readonly NativeMapping _memory;
    private readonly ulong* _words;

    /// <summary>A bitmap of <paramref name="pageCount"/> clear bits, at least one.</summary>
    public PageBitmap(ulong pageCount)
    {
        ArgumentOutOfRangeException.ThrowIfZero(pageCount);
        PageCount = pageCount;
        WordCount = checked((int)((pageCount + 63) / 64));
        _memory = NativeMapping.Anonymous((ulong)WordCount * sizeof(ulong));
        _words = (ulong*)_memory.Address;
    }

    public ulong PageCount { get; }

    public int WordCount { get; }

    /// <summary>The words themselves, bit 0 of word 0 is page 0; for KVM and for loops over words.</summary>
    public Span<ulong> Words => new(_words, WordCount);

    public ulong* Pointer => _words;

    /// <summary>Sets the bit of one page. The write it stands for must have happened before (a mark taken early can be harvested early).</summary>
    public void Mark(ulong page)
    {
        if (page >= PageCount)
            throw new ArgumentOutOfRangeException(nameof(page), $"page {page} of {PageCount}");
        // SAFETY: in range by the check; the words live until Dispose, which the owner calls after its threads have joined.
        ref ulong word = ref _words[page >> 6];
        ulong bit = 1ul << (int)(page & 63);
        Interlocked.Or(ref word, bit); // unconditional: the full fence orders the guest memory write before the mark
    }

    public bool IsSet(ulong page) => page < PageCount && (Volatile.Read(ref _words[page >> 6]) >> (int)(page & 63) & 1) != 0;

    public void Clear(ulong page)
    {
        if (page < PageCount)
            Interlocked.And(ref _words[page >> 6], ~(1ul << (int)(page & 63)));
    }

    /// <summary>Moves every set bit of <paramref name="source"/> into this bitmap, atomically per word.</summary>
    public void TakeFrom(PageBitmap source)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(source.WordCount, WordCount);
        for (int i = BitWords.NextNonZero(source.Words, 0); i < WordCount; i = BitWords.NextNonZero(source.Words, i + 1))
            _words[i] |= Interlocked.Exchange(ref source._words[i], 0);
    }

    /// <summary>Adds the set bits of <paramref name="source"/> and leaves it as it is.</summary>
    public void Add(PageBitmap source)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(source.WordCount, WordCount);
        for (int i = BitWords.NextNonZero(source.Words, 0); i < WordCount; i = BitWords.NextNonZero(source.Words, i + 1))
            _words[i] |= source._words[i];
    }

    public void ClearAll() => Words.Clear();

    /// <summary>Sets the bits of all pages.</summary>
    public void SetAll()
    {
        Words.Fill(ulong.MaxValue);
        int tail = (int)(PageCount & 63);
        if (tail != 0)
            _words[WordCount - 1] = (1ul << tail) - 1;
    }

    public ulong CountSet()
    {
        ulong count = 0;
        foreach (ulong word in Words)
            count += (ulong)BitOperations.PopCount(word);
        return count;
    }

    /// <summary>The first set page at or after <paramref name="from"/>, or <see cref="PageCount"/>.</summary>
    public ulong NextSet(ulong from) => Next(from, 0);

    /// <summary>The first clear page at or after <paramref name="from"/>, or <see cref="PageCount"/>.</summary>
    public ulong NextClear(ulong from) => Next(from, ulong.MaxValue);

    public void Dispose() => _memory.Dispose();

    private ulong Next(ulong from, ulong invert) => from < PageCount ? Math.Min(PageCount, BitWords.Next(Words, from, invert)) : PageCount;
}
