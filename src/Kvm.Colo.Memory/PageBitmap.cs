using System.Numerics;

namespace Kvm.Colo.Memory;

/// <summary>
/// One bit per guest page over all RAM, and above that one bit per word of 64 pages, so that what is done with a few pages of a large RAM
/// costs what it costs in a small one. <see cref="Mark"/> is safe from any thread; everything else belongs to the thread that harvests.
/// </summary>
internal sealed unsafe class PageBitmap : IDisposable
{
    private readonly NativeMapping _memory;
    private readonly ulong* _words;

    // A bit is set for every word that is not 0, and perhaps for others. Who sets a bit in a word sets the word's bit after it, who empties
    // words takes the words' bits before them: so none is lost between the two.
    private readonly ulong* _blocks;
    private readonly int _blockCount;

    /// <summary>A bitmap of <paramref name="pageCount"/> clear bits, at least one.</summary>
    public PageBitmap(ulong pageCount)
    {
        ArgumentOutOfRangeException.ThrowIfZero(pageCount);
        PageCount = pageCount;
        WordCount = checked((int)((pageCount + 63) / 64));
        _blockCount = (WordCount + 63) / 64;
        _memory = NativeMapping.Anonymous(((ulong)WordCount + (ulong)_blockCount) * sizeof(ulong));
        _words = (ulong*)_memory.Address;
        _blocks = _words + WordCount;
    }

    public ulong PageCount { get; }

    public int WordCount { get; }

    private ReadOnlySpan<ulong> Words => new(_words, WordCount);

    private ReadOnlySpan<ulong> Blocks => new(_blocks, _blockCount);

    /// <summary>Sets the bit of one page. The write it stands for must have happened before (a mark taken early can be harvested early).</summary>
    public void Mark(ulong page)
    {
        Check(page);
        int word = (int)(page >> 6);
        // SAFETY: in range by the check; the words live until Dispose, which the owner calls after its threads have joined.
        Interlocked.Or(ref _words[word], 1ul << (int)(page & 63)); // unconditional: the full fence orders the guest memory write before the mark
        ulong inBlock = 1ul << (word & 63);
        if ((Volatile.Read(ref _blocks[word >> 6]) & inBlock) == 0)
            Interlocked.Or(ref _blocks[word >> 6], inBlock);
    }

    /// <summary>Sets the bit of one page of a bitmap that no other thread marks: no fence, which would wait for what was written before.</summary>
    public void Set(ulong page)
    {
        Check(page);
        Add((int)(page >> 6), 1ul << (int)(page & 63));
    }

    public bool IsSet(ulong page) => page < PageCount && (Volatile.Read(ref _words[page >> 6]) >> (int)(page & 63) & 1) != 0;

    public void Clear(ulong page)
    {
        if (page < PageCount)
            Interlocked.And(ref _words[page >> 6], ~(1ul << (int)(page & 63)));
    }

    /// <summary>The bits of 64 pages, the lowest that of page 64 * <paramref name="word"/>.</summary>
    public ulong Word(int word) => Words[word];

    /// <summary>Puts the bits of 64 pages, none of them beyond the last page, in the place of what was there.</summary>
    public void SetWord(int word, ulong bits)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)word, (uint)WordCount, nameof(word));
        _words[word] = 0;
        Add(word, bits);
    }

    /// <summary>The first word at or after <paramref name="from"/> that is not 0, or <see cref="WordCount"/>.</summary>
    public int NextWord(int from)
    {
        ReadOnlySpan<ulong> blocks = Blocks;
        ulong end = (ulong)blocks.Length << 6;
        for (ulong word = (ulong)from; word < (ulong)WordCount; word++)
        {
            word = BitWords.Next(blocks, word, 0);
            if (word == end)
                break;
            if (_words[word] != 0)
                return (int)word;
        }

        return WordCount;
    }

    /// <summary>Adds words of bits, the first of them that of page 64 * <paramref name="first"/>.</summary>
    public void AddWords(int first, ReadOnlySpan<ulong> words)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)words.Length, (uint)WordCount, nameof(words));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)first, (uint)(WordCount - words.Length), nameof(first));
        for (int i = BitWords.NextNonZero(words, 0); i < words.Length; i = BitWords.NextNonZero(words, i + 1))
            Add(first + i, words[i]);
    }

    /// <summary>Moves every set bit of <paramref name="source"/> into this bitmap, atomically per word.</summary>
    public void TakeFrom(PageBitmap source)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(source.WordCount, WordCount);
        for (int block = BitWords.NextNonZero(source.Blocks, 0); block < _blockCount; block = BitWords.NextNonZero(source.Blocks, block + 1))
        {
            for (ulong taken = source.TakeBlock(block); taken != 0; taken &= taken - 1)
            {
                int word = (block << 6) + BitOperations.TrailingZeroCount(taken);
                Add(word, Interlocked.Exchange(ref source._words[word], 0));
            }
        }
    }

    /// <summary>Adds the set bits of <paramref name="source"/> and leaves it as it is.</summary>
    public void Add(PageBitmap source)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(source.WordCount, WordCount);
        for (int word = source.NextWord(0); word < WordCount; word = source.NextWord(word + 1))
            Add(word, source._words[word]);
    }

    public void ClearAll()
    {
        for (int block = BitWords.NextNonZero(Blocks, 0); block < _blockCount; block = BitWords.NextNonZero(Blocks, block + 1))
        {
            for (ulong taken = TakeBlock(block); taken != 0; taken &= taken - 1)
                _words[(block << 6) + BitOperations.TrailingZeroCount(taken)] = 0;
        }
    }

    /// <summary>Sets the bits of all pages.</summary>
    public void SetAll()
    {
        Fill(_words, WordCount, PageCount);
        Fill(_blocks, _blockCount, (ulong)WordCount);
    }

    public ulong CountSet()
    {
        ulong count = 0;
        for (int word = NextWord(0); word < WordCount; word = NextWord(word + 1))
            count += (ulong)BitOperations.PopCount(_words[word]);
        return count;
    }

    /// <summary>The first set page at or after <paramref name="from"/>, or <see cref="PageCount"/>.</summary>
    public ulong NextSet(ulong from)
    {
        if (from >= PageCount)
            return PageCount;
        int word = (int)(from >> 6);
        ulong bits = _words[word] & (ulong.MaxValue << (int)(from & 63));
        if (bits == 0)
        {
            word = NextWord(word + 1);
            if (word == WordCount)
                return PageCount;
            bits = _words[word];
        }

        return ((ulong)word << 6) + (ulong)BitOperations.TrailingZeroCount(bits);
    }

    /// <summary>The first clear page at or after <paramref name="from"/>, or <see cref="PageCount"/>.</summary>
    public ulong NextClear(ulong from) => from < PageCount ? Math.Min(PageCount, BitWords.Next(Words, from, ulong.MaxValue)) : PageCount;

    public void Dispose() => _memory.Dispose();

    private static void Fill(ulong* words, int count, ulong bits)
    {
        new Span<ulong>(words, count).Fill(ulong.MaxValue);
        int tail = (int)(bits & 63);
        if (tail != 0)
            words[count - 1] = (1ul << tail) - 1;
    }

    private void Check(ulong page)
    {
        if (page >= PageCount)
            throw new ArgumentOutOfRangeException(nameof(page), $"page {page} of {PageCount}");
    }

    private void Add(int word, ulong bits)
    {
        if (bits == 0)
            return;
        _words[word] |= bits;
        _blocks[word >> 6] |= 1ul << (word & 63);
    }

    private ulong TakeBlock(int block) => Interlocked.Exchange(ref _blocks[block], 0);
}
