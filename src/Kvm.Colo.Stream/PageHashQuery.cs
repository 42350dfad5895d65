using System.Buffers.Binary;

namespace Kvm.Colo.Stream;

/// <summary>Frame of <see cref="ColoMessage.PageHashes"/>: message word, u8 n, block name, be32 count, then for each page be64
/// offset and 16 bytes of <see cref="PageHash"/>, offsets ascending. The head is read once, entries one by one, so that a
/// query never has to be in memory as a whole.</summary>
/// <param name="Block">Index in the <see cref="RamBlockTable"/>.</param>
/// <param name="Count">Entries that follow, 1 to <see cref="MaxCount"/>.</param>
internal readonly record struct PageHashQuery(int Block, int Count)
{
    public const int MaxCount = 64 * 1024;
    public const int EntryBytes = sizeof(ulong) + PageHash.SizeBytes;
    public const int MaxHeadBytes = ColoMessageCodec.SizeBytes + 1 + WireName.MaxBytes + sizeof(uint);

    /// <summary>Writes the head with its message word; answers its length.</summary>
    public int WriteHead(Span<byte> destination, RamBlockTable blocks)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Count, MaxCount);
        ReadOnlySpan<byte> name = blocks[Block].WireForm;
        ColoMessageCodec.Write(destination, ColoMessage.PageHashes);
        name.CopyTo(destination[ColoMessageCodec.SizeBytes..]);
        int length = ColoMessageCodec.SizeBytes + name.Length;
        BinaryPrimitives.WriteUInt32BigEndian(destination[length..], (uint)Count);
        return length + sizeof(uint);
    }

    public static void WriteEntry(Span<byte> destination, ulong pageOffset, UInt128 hash)
    {
        BinaryPrimitives.WriteUInt128BigEndian(destination[sizeof(ulong)..], hash);
        BinaryPrimitives.WriteUInt64BigEndian(destination, pageOffset);
    }

    /// <summary>Reads the head including its message word.</summary>
    public static FrameStatus TryReadHead(
        ReadOnlySpan<byte> source, RamBlockTable blocks, out PageHashQuery query, out int consumed)
    {
        query = default;
        consumed = 0;
        var cursor = new StreamCursor(source);
        cursor.Require(cursor.ReadU32() == (uint)ColoMessage.PageHashes);
        ReadOnlySpan<byte> name = cursor.ReadName();
        int block = cursor.Failed ? -1 : blocks.IndexOf(name);
        cursor.Require(block >= 0);
        uint count = cursor.ReadU32();
        cursor.Require(count is > 0 and <= MaxCount);
        if (cursor.Failed)
            return cursor.Status;
        query = new PageHashQuery(block, (int)count);
        consumed = cursor.Position;
        return FrameStatus.Ok;
    }

    /// <summary>Reads one entry of <see cref="EntryBytes"/>; the offset is checked against the block.</summary>
    public FrameStatus TryReadEntry(ReadOnlySpan<byte> source, RamBlockTable blocks, out ulong pageOffset, out UInt128 hash)
    {
        var cursor = new StreamCursor(source);
        pageOffset = cursor.ReadU64();
        hash = cursor.ReadU128();
        cursor.Require(pageOffset % RamPageWord.PageSizeBytes == 0 && pageOffset < blocks[Block].SizeBytes);
        return cursor.Status;
    }
}
