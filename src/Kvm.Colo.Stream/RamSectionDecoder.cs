using System.Numerics;

namespace Kvm.Colo.Stream;

/// <summary>Reads RAM section bodies, version 4, record by record. A record's head must be wholly in the span, its payload is
/// left to the caller, who can so receive a page straight into staging. One decoder serves a session: the last block persists.
/// </summary>
internal sealed class RamSectionDecoder(RamBlockTable blocks, ColoFeatures features)
{
    private int _lastBlock = -1;

    /// <summary>What was wrong, after Malformed.</summary>
    public string? Reason { get; private set; }

    /// <summary>Reads the next record. Nothing changes unless the answer is Ok.</summary>
    /// <param name="source">Bytes at a record boundary (after the payload of the record before).</param>
    /// <param name="record">Valid when Ok.</param>
    /// <param name="consumed">Bytes of the head, without the payload.</param>
    public FrameStatus TryRead(ReadOnlySpan<byte> source, out RamRecord record, out int consumed)
    {
        record = default;
        consumed = 0;
        var cursor = new StreamCursor(source);
        var word = new RamPageWord(cursor.ReadU64());
        if (cursor.Failed)
            return cursor.Status;
        RamRecord read;
        switch (word.Flags & ~RamPageFlags.Continue)
        {
            case RamPageFlags.Zero:
                read = ReadPageHead(ref cursor, word, RamRecordKind.ZeroPage, 0);
                Require(ref cursor, cursor.ReadU8() == 0, "the fill byte of a zero page is not zero");
                break;
            case RamPageFlags.Page:
                read = ReadPageHead(ref cursor, word, RamRecordKind.Page, RamPageWord.PageSizeBytes);
                break;
            case RamPageFlags.Delta:
                read = ReadDelta(ref cursor, word);
                break;
            case RamPageFlags.BlockList when word.Flags == RamPageFlags.BlockList:
                read = ReadBlockList(ref cursor, word.PageOffset);
                break;
            case RamPageFlags.EndOfSection when word.Value == (ulong)RamPageFlags.EndOfSection:
                read = new RamRecord(RamRecordKind.EndOfSection, -1, 0, 0);
                break;
            default:
                read = default;
                Require(ref cursor, legal: false, "unknown page flags");
                break;
        }

        if (cursor.Failed)
            return cursor.Status;
        if (read.Block >= 0)
            _lastBlock = read.Block;
        record = read;
        consumed = cursor.Position;
        return FrameStatus.Ok;
    }

    private RamRecord ReadPageHead(scoped ref StreamCursor cursor, RamPageWord word, RamRecordKind kind, int payloadBytes)
    {
        int block = _lastBlock;
        if ((word.Flags & RamPageFlags.Continue) != 0)
        {
            Require(ref cursor, block >= 0, "the first page continues no block");
        }
        else
        {
            block = ReadBlockName(ref cursor);
        }

        if (!cursor.Failed)
            Require(ref cursor, word.PageOffset < blocks[block].SizeBytes, "page offset outside its RAM block");
        return new RamRecord(kind, block, word.PageOffset, payloadBytes);
    }

    private int ReadBlockName(scoped ref StreamCursor cursor)
    {
        ReadOnlySpan<byte> name = cursor.ReadName();
        int block = cursor.Failed ? -1 : blocks.IndexOf(name);
        Require(ref cursor, block >= 0, "unknown RAM block");
        if (cursor.Status == FrameStatus.Malformed)
            Reason ??= "illegal RAM block name";
        return block;
    }

    private RamRecord ReadDelta(scoped ref StreamCursor cursor, RamPageWord word)
    {
        Require(ref cursor, (features & ColoFeatures.Deltas) != 0, "delta page without the negotiated feature");
        RamRecord head = ReadPageHead(ref cursor, word, RamRecordKind.Delta, 0);
        Require(ref cursor, cursor.ReadU8() == RamSectionEncoder.DeltaMarker, "unknown delta encoding");
        int length = cursor.ReadU16();
        Require(ref cursor, length is > 0 and <= RamPageWord.PageSizeBytes, "delta length outside 1 to 4096");
        return head with { PayloadBytes = length };
    }

    private RamRecord ReadBlockList(scoped ref StreamCursor cursor, ulong totalBytes)
    {
        Require(ref cursor, totalBytes == blocks.TotalBytes, "the RAM sizes of the two machines differ");
        ulong seen = 0;
        for (int count = 0; count < blocks.Count && !cursor.Failed; count++)
        {
            int block = ReadBlockName(ref cursor);
            ulong sizeBytes = cursor.ReadU64();
            if (cursor.Failed)
                break;
            Require(ref cursor, sizeBytes == blocks[block].SizeBytes, "a RAM block differs in size");
            Require(ref cursor, (seen & (1UL << block)) == 0, "a RAM block is listed twice");
            seen |= 1UL << block;
        }

        Require(ref cursor, BitOperations.PopCount(seen) == blocks.Count, "a RAM block is missing");
        return new RamRecord(RamRecordKind.BlockList, -1, 0, 0);
    }

    private void Require(scoped ref StreamCursor cursor, bool legal, string reason)
    {
        if (legal || cursor.Failed)
            return;
        Reason = reason;
        cursor.Reject();
    }
}
