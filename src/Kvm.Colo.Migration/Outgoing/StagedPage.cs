using System.Buffers.Binary;
using Kvm.Colo.Memory;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Outgoing;

/// <summary>
/// What a primary stages of a page: the page's word and its content, just as they travel; or, where what was sent last is known, the
/// word with a mark in its lower bits, be16 length, and the difference to that.
/// </summary>
internal static class StagedPage
{
    /// <summary>A longer delta saves less than it costs both sides.</summary>
    public const int MaxDeltaBytes = GuestPage.SizeBytes * 3 / 4;

    // No set of flags that travels.
    private const ulong DeltaMark = GuestPage.SizeBytes - 1;
    private const int DeltaStart = PageStaging.HeaderBytes + sizeof(ushort);

    /// <summary>The page a record holds.</summary>
    public static ulong PageOf(ReadOnlySpan<byte> record) => Word(record) >> GuestPage.Shift;

    /// <summary>Whether it holds a difference, and not the content.</summary>
    public static bool IsDelta(ReadOnlySpan<byte> record) => (Word(record) & DeltaMark) == DeltaMark;

    /// <summary>The content of a record that is no delta.</summary>
    public static ReadOnlySpan<byte> Content(ReadOnlySpan<byte> record) => record[PageStaging.HeaderBytes..];

    /// <summary>The difference of a record that is a delta; empty when the page is what it was.</summary>
    public static ReadOnlySpan<byte> Delta(ReadOnlySpan<byte> record) =>
        record.Slice(DeltaStart, BinaryPrimitives.ReadUInt16BigEndian(record[PageStaging.HeaderBytes..]));

    /// <summary>
    /// Makes a record the difference between a page as it was sent last and as it is, if that is short. The page may change meanwhile:
    /// what comes out is legal, and the page is captured again.
    /// </summary>
    public static bool TryWriteDelta(Span<byte> record, ulong page, ReadOnlySpan<byte> last, ReadOnlySpan<byte> now)
    {
        int length = PageDelta.Encode(last, now, record.Slice(DeltaStart, MaxDeltaBytes));
        if (length < 0)
            return false;
        BinaryPrimitives.WriteUInt64BigEndian(record, (page << GuestPage.Shift) | DeltaMark);
        BinaryPrimitives.WriteUInt16BigEndian(record[PageStaging.HeaderBytes..], (ushort)length);
        return true;
    }

    private static ulong Word(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadUInt64BigEndian(record);
}
