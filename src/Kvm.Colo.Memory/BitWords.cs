using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Kvm.Colo.Memory;

/// <summary>
/// Searches in words of bits, bit 0 of word 0 first. The cost of a harvest must not follow the size of the RAM more than it has to. The
/// library's search looks at two words a step, this at eight, in half the time.
/// </summary>
internal static class BitWords
{
    private const int BlockWords = 8;

    /// <summary>The first word at or after <paramref name="from"/> with a bit set, or the number of words.</summary>
    public static int NextNonZero(ReadOnlySpan<ulong> words, int from) => NextUnlike(words, from, 0);

    /// <summary>The number of words up to the last one with a bit set; 0 when there is none.</summary>
    public static int EndOfNonZero(ReadOnlySpan<ulong> words)
    {
        int end = words.Length;
        while (end >= BlockWords && IsBlockOf(words[(end - BlockWords)..], Vector128<ulong>.Zero))
            end -= BlockWords;
        while (end > 0 && words[end - 1] == 0)
            end--;
        return end;
    }

    /// <summary>
    /// The first bit at or after <paramref name="from"/>, which is one of them, that is set, or clear when <paramref name="invert"/> has all
    /// bits set instead of none; the number of bits when there is none.
    /// </summary>
    public static ulong Next(ReadOnlySpan<ulong> words, ulong from, ulong invert)
    {
        int word = (int)(from >> 6);
        ulong bits = (words[word] ^ invert) & (ulong.MaxValue << (int)(from & 63));
        if (bits == 0)
        {
            word = NextUnlike(words, word + 1, invert);
            if (word == words.Length)
                return (ulong)words.Length << 6;
            bits = words[word] ^ invert;
        }

        return ((ulong)word << 6) + (ulong)BitOperations.TrailingZeroCount(bits);
    }

    private static int NextUnlike(ReadOnlySpan<ulong> words, int from, ulong value)
    {
        Vector128<ulong> values = Vector128.Create(value);
        while (from <= words.Length - BlockWords && IsBlockOf(words[from..], values))
            from += BlockWords;
        while (from < words.Length && words[from] == value)
            from++;
        return from;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsBlockOf(ReadOnlySpan<ulong> words, Vector128<ulong> values)
    {
        ref ulong first = ref MemoryMarshal.GetReference(words);
        Vector128<ulong> differences = (Vector128.LoadUnsafe(ref first) ^ values) | (Vector128.LoadUnsafe(ref first, 2) ^ values)
            | (Vector128.LoadUnsafe(ref first, 4) ^ values) | (Vector128.LoadUnsafe(ref first, 6) ^ values);
        return differences == Vector128<ulong>.Zero;
    }
}
