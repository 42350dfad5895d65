using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kvm.Colo.Memory;

/// <summary>
/// Work on pages a cache line at a time. What is done with a page once in an epoch waits for memory more than for anything else: a line
/// that needs no write is only read, and the next page's first lines, and its address translation, can be on their way meanwhile. 128
/// bits: what is compiled ahead of time is for every CPU.
/// </summary>
internal static class CacheLines
{
    public const int LineBytes = 64;

    // The hardware sees a stream after that many lines and fetches the rest of a page by itself.
    private const int PrefetchedLines = 4;

    /// <summary>Has a page's first lines fetched. A page without memory stays so.</summary>
    public static unsafe void Prefetch(ReadOnlySpan<byte> page)
    {
        if (!Sse.IsSupported || page.Length < PrefetchedLines * LineBytes)
            return;
        fixed (byte* start = page)
        {
            for (int line = 0; line < PrefetchedLines; line++)
                Sse.Prefetch0(start + (line * LineBytes));
        }
    }

    /// <summary>Has the line of one byte fetched.</summary>
    public static unsafe void Prefetch(ref byte place)
    {
        if (!Sse.IsSupported)
            return;
        fixed (byte* start = &place)
            Sse.Prefetch0(start);
    }

    /// <summary>
    /// How many bytes at their start two spans of one length have in common. One of them may change meanwhile: then the answer is where
    /// they differed, or did not, when each byte was looked at.
    /// </summary>
    public static int CommonPrefix(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(other.Length, one.Length);
        int position = 0;
        while (one.Length - position >= LineBytes)
        {
            if (!IsSameLine(ref At(one, position), ref At(other, position)))
            {
                int same = one.Slice(position, LineBytes).CommonPrefixLength(other.Slice(position, LineBytes));
                if (same < LineBytes)
                    return position + same;
            }

            position += LineBytes;
        }

        return position + one[position..].CommonPrefixLength(other[position..]);
    }

    /// <summary>Makes <paramref name="target"/> equal to <paramref name="source"/>, of the same length, and writes only lines that differ.</summary>
    public static void CopyDifferences(ReadOnlySpan<byte> source, Span<byte> target)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(target.Length, source.Length);
        int position = 0;
        for (; source.Length - position >= LineBytes; position += LineBytes)
        {
            if (!IsSameLine(ref At(source, position), ref At(target, position)))
                source.Slice(position, LineBytes).CopyTo(target[position..]);
        }

        source[position..].CopyTo(target[position..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref byte At(ReadOnlySpan<byte> bytes, int position) => ref MemoryMarshal.GetReference(bytes[position..]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsSameLine(ref byte one, ref byte other)
    {
        Vector128<byte> differences = (Vector128.LoadUnsafe(ref one) ^ Vector128.LoadUnsafe(ref other))
            | (Vector128.LoadUnsafe(ref one, 16) ^ Vector128.LoadUnsafe(ref other, 16))
            | (Vector128.LoadUnsafe(ref one, 32) ^ Vector128.LoadUnsafe(ref other, 32))
            | (Vector128.LoadUnsafe(ref one, 48) ^ Vector128.LoadUnsafe(ref other, 48));
        return differences == Vector128<byte>.Zero;
    }
}
