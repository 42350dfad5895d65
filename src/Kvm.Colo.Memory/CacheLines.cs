using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Kvm.Colo.Memory;

/// <summary>
/// Work on pages a cache line at a time. What is done with a page once in an epoch waits for memory more than for anything else: a line
/// that needs no write is only read, and what comes next is on its way meanwhile. 128 bits: what is compiled ahead of time is for every
/// CPU.
/// </summary>
internal static class CacheLines
{
    public const int LineBytes = 64;

    // Half a page of each of two: with more nothing gets faster, with less the memory is waited for again.
    private const int FetchAheadBytes = GuestPage.SizeBytes / 2;

    /// <summary>
    /// The first byte at or after <paramref name="from"/> in which two spans of one length differ, or their length. One of them may change
    /// meanwhile: then the answer is where they differed, or did not, when each byte was looked at.
    /// </summary>
    public static int FirstDifference(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other, int from = 0, NextPages next = default)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(other.Length, one.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)from, (uint)one.Length, nameof(from));
        int position = from;
        int rest = Math.Min(-position & (LineBytes - 1), one.Length - position);
        if (rest != 0 && !IsSame(one, other, rest, ref position))
            return position;
        while (true)
        {
            position = NextDifferentLine(one, other, position, next);
            rest = Math.Min(LineBytes, one.Length - position);
            if (!IsSame(one, other, rest, ref position) || position == one.Length)
                return position;
        }
    }

    /// <summary>Makes <paramref name="target"/> equal to <paramref name="source"/>, of the same length, and writes only lines that differ.</summary>
    public static void CopyDifferences(ReadOnlySpan<byte> source, Span<byte> target, NextPages next = default)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(target.Length, source.Length);
        int position = 0;
        while (position < source.Length)
        {
            position = NextDifferentLine(source, target, position, next);
            int length = Math.Min(LineBytes, source.Length - position);
            source.Slice(position, length).CopyTo(target[position..]);
            position += length;
        }
    }

    // Steps over what is the same of so many bytes.
    private static bool IsSame(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other, int length, ref int position)
    {
        int same = one.Slice(position, length).CommonPrefixLength(other.Slice(position, length));
        position += same;
        return same == length;
    }

    // Where the first whole line at or after a line's start lies that differs, or where whole lines end.
    private static int NextDifferentLine(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other, int from, NextPages next)
    {
        ref byte a = ref MemoryMarshal.GetReference(one);
        ref byte b = ref MemoryMarshal.GetReference(other);
        nint end = one.Length & ~(LineBytes - 1);
        nint middle = Math.Max(from, one.Length - FetchAheadBytes);
        nint position = NextDifferentLine(ref a, ref b, from, middle, ref Unsafe.Add(ref a, FetchAheadBytes), ref Unsafe.Add(ref b, FetchAheadBytes));
        if (position < middle)
            return (int)position;
        nint back = FetchAheadBytes - one.Length;
        return next.IsNone
            ? (int)NextDifferentLine(ref a, ref b, position, end, ref a, ref b)
            : (int)NextDifferentLine(ref a, ref b, position, end, ref Unsafe.Add(ref next.One, back), ref Unsafe.Add(ref next.Other, back));
    }

    // SAFETY: [from, end) is inside both spans; what is fetched may be anywhere. The loop that epochs spend their time in.
    private static nint NextDifferentLine(ref byte a, ref byte b, nint from, nint end, ref byte fetchA, ref byte fetchB)
    {
        nint position = from;
        for (; position < end; position += LineBytes)
        {
            NextPages.Prefetch(ref Unsafe.Add(ref fetchA, position));
            NextPages.Prefetch(ref Unsafe.Add(ref fetchB, position));
            Vector128<byte> differences =
                (Vector128.LoadUnsafe(ref a, (nuint)position) ^ Vector128.LoadUnsafe(ref b, (nuint)position))
                | (Vector128.LoadUnsafe(ref a, (nuint)position + 16) ^ Vector128.LoadUnsafe(ref b, (nuint)position + 16))
                | (Vector128.LoadUnsafe(ref a, (nuint)position + 32) ^ Vector128.LoadUnsafe(ref b, (nuint)position + 32))
                | (Vector128.LoadUnsafe(ref a, (nuint)position + 48) ^ Vector128.LoadUnsafe(ref b, (nuint)position + 48));
            if (differences != Vector128<byte>.Zero)
                break;
        }

        return position;
    }
}
