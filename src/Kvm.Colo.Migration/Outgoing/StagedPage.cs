using Kvm.Colo.Memory;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Outgoing;

/// <summary>What a primary stages of a page: its content or, where what was sent last is known, the difference to that.</summary>
internal static class StagedPage
{
    /// <summary>A longer delta saves less than it costs both sides.</summary>
    public const int MaxDeltaBytes = GuestPage.SizeBytes * 3 / 4;

    private const byte Whole = 0;
    private const byte Delta = 1;

    /// <summary>Whether the payload is a difference, empty when the page is what it was, and not the content.</summary>
    public static bool IsDelta(PageRecord record) => record.Tag == Delta;

    /// <summary>Makes a record a page's content.</summary>
    public static void WriteWhole(PageRecord record, ulong page, ReadOnlySpan<byte> now) =>
        now.CopyTo(record.Write(page, Whole, GuestPage.SizeBytes));

    /// <summary>
    /// Makes a record the difference between a page as it was sent last and as it is, if that is short. The page may change meanwhile:
    /// what comes out is legal, and the page is captured again.
    /// </summary>
    /// <param name="record">The record.</param>
    /// <param name="page">The page's number.</param>
    /// <param name="last">The page as it was sent last.</param>
    /// <param name="now">The page.</param>
    /// <param name="scratch"><see cref="MaxDeltaBytes"/> to work in.</param>
    /// <param name="next">The same two of the page that comes next.</param>
    public static bool TryWriteDelta(
        PageRecord record, ulong page, ReadOnlySpan<byte> last, ReadOnlySpan<byte> now, Span<byte> scratch, NextPages next = default)
    {
        int length = PageDelta.Encode(last, now, scratch[..MaxDeltaBytes], next);
        if (length < 0)
            return false;
        scratch[..length].CopyTo(record.Write(page, Delta, length));
        return true;
    }
}
