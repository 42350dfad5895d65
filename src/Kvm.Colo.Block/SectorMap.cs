using System.Numerics;
using System.Runtime.InteropServices;
using Kvm.Colo.Memory;

namespace Kvm.Colo.Block;

/// <summary>
/// A set of sectors of one disk. A bit for each, in native memory that costs nothing where no bit was ever set, under a coarse map: to
/// search, to count and to clear costs what is set, not what the disk holds. Not thread-safe.
/// </summary>
internal sealed class SectorMap : IDisposable
{
    private const int WordsPerGroup = 512; // a page of bits: 16 MiB of disk
    private const ulong SectorsPerGroup = WordsPerGroup * 64;

    private readonly NativeMapping _words;
    private readonly ulong[] _groups;

    public SectorMap(ulong sectorCount)
    {
        ArgumentOutOfRangeException.ThrowIfZero(sectorCount);
        SectorCount = sectorCount;
        ulong groups = (sectorCount + SectorsPerGroup - 1) / SectorsPerGroup;
        _words = NativeMapping.Anonymous(groups * WordsPerGroup * sizeof(ulong));
        _groups = new ulong[(groups + 63) / 64];
    }

    public ulong SectorCount { get; }

    /// <summary>Sectors in the set.</summary>
    public ulong Count { get; private set; }

    public void Add(ulong first, ulong count) => Change(first, count, isAdded: true);

    public void Remove(ulong first, ulong count) => Change(first, count, isAdded: false);

    /// <summary>Whether any sector of the range is in the set.</summary>
    public bool Overlaps(ulong first, ulong count) => Count > 0 && NextSet(first) - first < count;

    /// <summary>The first sector of the set at or after <paramref name="from"/>, or <see cref="SectorCount"/>.</summary>
    public ulong NextSet(ulong from)
    {
        if (Count == 0)
            return SectorCount;
        for (ulong group = from / SectorsPerGroup; from < SectorCount; from = group * SectorsPerGroup)
        {
            group = NextGroup(group);
            if (group * SectorsPerGroup >= SectorCount)
                break;
            ulong found = Find(group, Math.Max(from, group * SectorsPerGroup), invert: 0);
            if (found < SectorCount)
                return found;
            group++;
        }

        return SectorCount;
    }

    /// <summary>The first sector outside the set at or after <paramref name="from"/>, or <see cref="SectorCount"/>.</summary>
    public ulong NextClear(ulong from)
    {
        for (ulong group = from / SectorsPerGroup; from < SectorCount; from = group * SectorsPerGroup)
        {
            if (!IsUsed(group))
                return from;
            ulong found = Find(group, from, ulong.MaxValue);
            if (found < SectorCount)
                return found;
            group++;
        }

        return SectorCount;
    }

    public void Clear()
    {
        for (ulong group = NextGroup(0); group * SectorsPerGroup < SectorCount; group = NextGroup(group + 1))
            Words(group).Clear();
        Array.Clear(_groups);
        Count = 0;
    }

    public void Dispose() => _words.Dispose();

    private void Change(ulong first, ulong count, bool isAdded)
    {
        if (first > SectorCount || count > SectorCount - first)
            throw new ArgumentOutOfRangeException(nameof(first), $"{count} sectors at {first} of {SectorCount}");
        while (count > 0)
        {
            ulong group = first / SectorsPerGroup;
            ulong inGroup = Math.Min(count, ((group + 1) * SectorsPerGroup) - first);
            if (isAdded)
                _groups[group >> 6] |= 1ul << (int)(group & 63);
            if (IsUsed(group))
                ChangeWords(Words(group), (int)(first % SectorsPerGroup), (int)inGroup, isAdded);
            first += inGroup;
            count -= inGroup;
        }
    }

    private void ChangeWords(Span<ulong> words, int first, int count, bool isAdded)
    {
        while (count > 0)
        {
            int inWord = Math.Min(count, 64 - (first & 63));
            ulong mask = (inWord == 64 ? ulong.MaxValue : (1ul << inWord) - 1) << (first & 63);
            ref ulong word = ref words[first >> 6];
            ulong after = isAdded ? word | mask : word & ~mask;
            Count += (ulong)BitOperations.PopCount(after);
            Count -= (ulong)BitOperations.PopCount(word);
            word = after;
            first += inWord;
            count -= inWord;
        }
    }

    private ulong Find(ulong group, ulong from, ulong invert)
    {
        ulong found = BitWords.Next(Words(group), from % SectorsPerGroup, invert);
        return found < SectorsPerGroup ? Math.Min(SectorCount, (group * SectorsPerGroup) + found) : SectorCount;
    }

    private bool IsUsed(ulong group) => (_groups[group >> 6] >> (int)(group & 63) & 1) != 0;

    private ulong NextGroup(ulong from)
    {
        ulong word = from >> 6;
        ulong bits = word < (ulong)_groups.Length ? _groups[word] & (ulong.MaxValue << (int)(from & 63)) : 0;
        while (bits == 0)
        {
            if (++word >= (ulong)_groups.Length)
                return (ulong)_groups.Length << 6;
            bits = _groups[word];
        }

        return (word << 6) + (ulong)BitOperations.TrailingZeroCount(bits);
    }

    private Span<ulong> Words(ulong group) =>
        MemoryMarshal.Cast<byte, ulong>(_words.Slice(group * WordsPerGroup * sizeof(ulong), WordsPerGroup * sizeof(ulong)));
}
