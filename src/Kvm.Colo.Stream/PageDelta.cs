using System.Numerics;
using System.Runtime.Intrinsics;
using Kvm.Colo.Memory;

namespace Kvm.Colo.Stream;

/// <summary>The delta of a page in XBZRLE form: pairs of (length of an unchanged run, length of a changed run, its bytes), the
/// lengths in ULEB128 of one or two bytes. The unchanged end of the page is left out.</summary>
internal static class PageDelta
{
    /// <summary>Two ULEB128 bytes hold lengths up to here, so a page may not be larger.</summary>
    public const int MaxPageBytes = (1 << 14) - 1;

    /// <summary>A changed run goes on over fewer equal bytes than this: a new run would cost at least two lengths.</summary>
    private const int MinEqualRun = 3;

    /// <summary>
    /// Encodes what turns <paramref name="before"/> into <paramref name="after"/>. A guest may write <paramref name="after"/> meanwhile: a
    /// delta is legal all the same.
    /// </summary>
    /// <param name="before">The page the peer has.</param>
    /// <param name="after">What it is to become.</param>
    /// <param name="destination">Room for the delta; a longer one is none.</param>
    /// <param name="next">What will be encoded next, to be fetched meanwhile.</param>
    /// <returns>Bytes written; 0 when the pages are equal; -1 when the delta does not fit, send the page raw.</returns>
    public static int Encode(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, Span<byte> destination, NextPages next = default)
    {
        if (before.Length != after.Length || before.Length > MaxPageBytes)
            throw new ArgumentException($"pages of {before.Length} and {after.Length} bytes", nameof(after));
        int written = 0;
        int position = 0;
        while (true)
        {
            int equal = -position;
            position = CacheLines.FirstDifference(before, after, position, next);
            equal += position;
            if (position == after.Length)
                return written;
            int changed = ChangedRun(before[position..], after[position..]);
            bool hasMoved = changed == 0 || (equal == 0 && written > 0);
            if (hasMoved || destination.Length - written < LengthBytes(equal) + LengthBytes(changed) + changed)
                return -1;
            written += WriteLength(destination[written..], equal);
            written += WriteLength(destination[written..], changed);
            after.Slice(position, changed).CopyTo(destination[written..]);
            written += changed;
            position += changed;
        }
    }

    /// <summary>Applies a delta to the page that still holds the old content. The whole delta is checked first: the page is
    /// untouched unless the answer is true.</summary>
    public static bool TryApply(ReadOnlySpan<byte> delta, Span<byte> page)
    {
        if (!IsLegal(delta, page.Length))
            return false;
        int read = 0;
        int position = 0;
        while (read < delta.Length)
        {
            TryReadLength(delta, ref read, out int equal);
            TryReadLength(delta, ref read, out int changed);
            position += equal;
            delta.Slice(read, changed).CopyTo(page[position..]);
            read += changed;
            position += changed;
        }

        return true;
    }

    /// <summary>Where a legal delta changes a page first; 0 when it changes nothing.</summary>
    public static int FirstChange(ReadOnlySpan<byte> delta)
    {
        int read = 0;
        return TryReadLength(delta, ref read, out int equal) ? equal : 0;
    }

    /// <summary>True when the delta is well formed and stays inside a page of that size.</summary>
    public static bool IsLegal(ReadOnlySpan<byte> delta, int pageBytes)
    {
        int read = 0;
        int position = 0;
        while (read < delta.Length)
        {
            bool first = read == 0;
            if (!TryReadLength(delta, ref read, out int equal) || (equal == 0 && !first))
                return false;
            if (!TryReadLength(delta, ref read, out int changed) || changed == 0)
                return false;
            if (equal > pageBytes - position || changed > pageBytes - position - equal || changed > delta.Length - read)
                return false;
            position += equal + changed;
            read += changed;
        }

        return true;
    }

    /// <summary>Length of the changed run at the start of two spans whose first bytes differ.</summary>
    // 128 bits: what is compiled ahead of time is for every CPU.
    private static int ChangedRun(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after)
    {
        int position = 0;
        // The last two lanes cannot tell whether a run of three begins in them, so a step leaves them to the next one.
        while (Vector128.IsHardwareAccelerated && after.Length - position >= Vector128<byte>.Count)
        {
            uint equal = Vector128.Equals(
                Vector128.Create(before.Slice(position, Vector128<byte>.Count)),
                Vector128.Create(after.Slice(position, Vector128<byte>.Count))).ExtractMostSignificantBits();
            uint runs = equal & (equal >> 1) & (equal >> 2);
            if (runs != 0)
                return position + BitOperations.TrailingZeroCount(runs);
            position += Vector128<byte>.Count - (MinEqualRun - 1);
        }

        int same = 0;
        for (; position < after.Length; position++)
        {
            same = before[position] == after[position] ? same + 1 : 0;
            if (same == MinEqualRun)
                return position + 1 - MinEqualRun;
        }

        return after.Length - same;
    }

    private static int LengthBytes(int length) => length < 0x80 ? 1 : 2;

    private static int WriteLength(Span<byte> destination, int length)
    {
        if (length < 0x80)
        {
            destination[0] = (byte)length;
            return 1;
        }

        destination[0] = (byte)(length | 0x80);
        destination[1] = (byte)(length >> 7);
        return 2;
    }

    private static bool TryReadLength(ReadOnlySpan<byte> delta, ref int read, out int length)
    {
        length = 0;
        if (read >= delta.Length)
            return false;
        length = delta[read++];
        if (length < 0x80)
            return true;
        if (read >= delta.Length || delta[read] >= 0x80)
            return false;
        length = (length & 0x7F) | (delta[read++] << 7);
        return true;
    }
}
