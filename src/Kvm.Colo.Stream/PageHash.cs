using System.IO.Hashing;

namespace Kvm.Colo.Stream;

/// <summary>Questions about a page's content: its 128-bit XXH3 under the session's secret seed, and whether it is zero.</summary>
internal static class PageHash
{
    public const int SizeBytes = 16;

    public static UInt128 Compute(ReadOnlySpan<byte> page, long seed) => XxHash128.HashToUInt128(page, seed);

    public static bool IsZero(ReadOnlySpan<byte> page) => !page.ContainsAnyExcept((byte)0);
}
