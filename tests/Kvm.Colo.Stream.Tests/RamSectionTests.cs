using System.Buffers.Binary;
using Xunit;

namespace Kvm.Colo.Stream.Tests;

public sealed class RamSectionTests
{
    private static readonly RamBlockTable s_blocks = new(new RamBlock("pc.ram", 0x10000), new RamBlock("pc.rom", 0x2000));

    [Fact]
    public void BlockList_IsGolden_AndAccepted()
    {
        var encoder = new RamSectionEncoder(s_blocks);
        byte[] frame = Frames.Written(encoder.BlockListBytes, bytes => encoder.WriteBlockList(bytes));

        Assert.Equal(
            Frames.Hex("0000000000012004 06 70632e72616d 0000000000010000 06 70632e726f6d 0000000000002000"), frame);
        Assert.Equal(encoder.BlockListBytes, frame.Length);
        Assert.Equal(new RamRecord(RamRecordKind.BlockList, -1, 0, 0), ReadOne(NewDecoder(), frame));
        Frames.AssertEveryTruncationNeedsMore(frame, source => NewDecoder().TryRead(source, out _, out _));
    }

    [Fact]
    public void ZeroPage_IsGolden_AndReturnsWhatWasWritten()
    {
        byte[] frame = Frames.Written(64, bytes => new RamSectionEncoder(s_blocks).WriteZeroPage(bytes, 1, 0x1000));

        Assert.Equal(Frames.Hex("0000000000001002 06 70632e726f6d 00"), frame);
        Assert.Equal(new RamRecord(RamRecordKind.ZeroPage, 1, 0x1000, 0), ReadOne(NewDecoder(), frame));
        Frames.AssertEveryTruncationNeedsMore(frame, source => NewDecoder().TryRead(source, out _, out _));
    }

    [Fact]
    public void Page_IsGolden_AndLeavesItsPayloadToTheCaller()
    {
        byte[] frame = Frames.Written(64, bytes => new RamSectionEncoder(s_blocks).WritePage(bytes, 0, 0xF000));

        Assert.Equal(Frames.Hex("000000000000f008 06 70632e72616d"), frame);
        Assert.Equal(new RamRecord(RamRecordKind.Page, 0, 0xF000, 4096), ReadOne(NewDecoder(), frame));
        Frames.AssertEveryTruncationNeedsMore(frame, source => NewDecoder().TryRead(source, out _, out _));
    }

    [Fact]
    public void Delta_IsGolden_AndReturnsWhatWasWritten()
    {
        byte[] frame = Frames.Written(64, bytes => new RamSectionEncoder(s_blocks).WriteDelta(bytes, 0, 0x3000, 0x123));

        Assert.Equal(Frames.Hex("0000000000003040 06 70632e72616d 01 0123"), frame);
        Assert.Equal(new RamRecord(RamRecordKind.Delta, 0, 0x3000, 0x123), ReadOne(NewDecoder(), frame));
        Frames.AssertEveryTruncationNeedsMore(frame, source => NewDecoder().TryRead(source, out _, out _));
    }

    [Fact]
    public void EndOfSection_IsGolden()
    {
        byte[] frame = Frames.Written(8, bytes => RamSectionEncoder.WriteEndOfSection(bytes));

        Assert.Equal(Frames.Hex("0000000000000010"), frame);
        Assert.Equal(new RamRecord(RamRecordKind.EndOfSection, -1, 0, 0), ReadOne(NewDecoder(), frame));
        Frames.AssertEveryTruncationNeedsMore(frame, source => NewDecoder().TryRead(source, out _, out _));
    }

    [Fact]
    public void LastBlock_PersistsAcrossSections()
    {
        var encoder = new RamSectionEncoder(s_blocks);
        RamSectionDecoder decoder = NewDecoder();
        ReadOne(decoder, Frames.Written(64, bytes => encoder.WritePage(bytes, 0, 0)));
        ReadOne(decoder, Frames.Written(64, bytes => RamSectionEncoder.WriteEndOfSection(bytes)));

        byte[] next = Frames.Written(64, bytes => encoder.WritePage(bytes, 0, 0x1000));

        Assert.Equal(Frames.Hex("0000000000001028"), next);
        Assert.Equal(new RamRecord(RamRecordKind.Page, 0, 0x1000, 4096), ReadOne(decoder, next));
    }

    [Fact]
    public void RandomRecords_ReturnAsWritten_InAnyPieces()
    {
        var random = new Random(11);
        var encoder = new RamSectionEncoder(s_blocks);
        var written = new List<RamRecord>();
        var stream = new List<byte>();
        for (int count = 0; count < 500; count++)
            stream.AddRange(RandomRecord(random, encoder, written));

        RamSectionDecoder decoder = NewDecoder();
        byte[] bytes = [.. stream];
        int position = 0;
        foreach (RamRecord expected in written)
        {
            int visible = 0;
            FrameStatus status;
            RamRecord read;
            int consumed;
            do
                status = decoder.TryRead(bytes.AsSpan(position, visible++), out read, out consumed);
            while (status == FrameStatus.NeedMoreData);
            Assert.Equal((FrameStatus.Ok, expected), (status, read));
            Assert.Equal(visible - 1, consumed);
            position += consumed + read.PayloadBytes;
        }

        Assert.Equal(bytes.Length, position);
    }

    [Theory]
    [InlineData("0000000000000028")]
    [InlineData("0000000000000008 06 70632e787878")]
    [InlineData("0000000000000008 00")]
    [InlineData("0000000000010008 06 70632e72616d")]
    [InlineData("fffffffffffff008 06 70632e72616d")]
    [InlineData("0000000000000002 06 70632e72616d 01")]
    [InlineData("0000000000000040 06 70632e72616d 02 0001")]
    [InlineData("0000000000000040 06 70632e72616d 01 0000")]
    [InlineData("0000000000000040 06 70632e72616d 01 1001")]
    [InlineData("0000000000000000")]
    [InlineData("0000000000000001")]
    [InlineData("0000000000000080")]
    [InlineData("0000000000000100")]
    [InlineData("0000000000000200")]
    [InlineData("000000000000000a")]
    [InlineData("0000000000000030")]
    [InlineData("0000000000001010")]
    [InlineData("0000000000012024")]
    [InlineData("0000000000011004")]
    [InlineData("0000000000012004 06 70632e72616d 0000000000010000 06 70632e72616d 0000000000010000")]
    [InlineData("0000000000012004 06 70632e72616d 0000000000011000")]
    [InlineData("0000000000012004 06 70632e787878 0000000000010000")]
    public void TryRead_IsMalformed_ForIllegalRecords(string hex)
    {
        RamSectionDecoder decoder = NewDecoder();

        Assert.Equal(FrameStatus.Malformed, decoder.TryRead(Frames.Hex(hex), out _, out _));
        Assert.NotNull(decoder.Reason);
    }

    [Fact]
    public void TryRead_IsMalformed_ForADeltaThatWasNotNegotiated() =>
        Assert.Equal(
            FrameStatus.Malformed,
            new RamSectionDecoder(s_blocks, ColoFeatures.None).TryRead(
                Frames.Hex("0000000000000040 06 70632e72616d 01 0001"), out _, out _));

    [Fact]
    public void AnUnfinishedRecord_DoesNotChangeTheLastBlock()
    {
        RamSectionDecoder decoder = NewDecoder();
        ReadOne(decoder, Frames.Hex("0000000000000008 06 70632e72616d"));

        Assert.Equal(
            FrameStatus.NeedMoreData, decoder.TryRead(Frames.Hex("0000000000000002 06 70632e726f6d"), out _, out _));

        Assert.Equal(0, ReadOne(decoder, Frames.Hex("0000000000002028")).Block);
    }

    [Theory]
    [InlineData(0x10000ul)]
    [InlineData(0x800ul)]
    public void Encoder_Throws_WhenTheOffsetIsNoPageOfTheBlock(ulong offset) =>
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new RamSectionEncoder(s_blocks).WritePage(new byte[64], 0, offset));

    [Fact]
    public void Heads_FitInTheStatedMaximum()
    {
        var blocks = new RamBlockTable(new RamBlock(new string('n', 255), 4096));
        byte[] head = new byte[RamSectionEncoder.MaxHeadBytes];

        Assert.Equal(head.Length, new RamSectionEncoder(blocks).WriteDelta(head, 0, 0, 1));
    }

    [Fact]
    public void Table_Throws_ForTwinsAndOverflow()
    {
        Assert.Throws<ArgumentException>(() => new RamBlockTable(new RamBlock("a", 4096), new RamBlock("a", 8192)));
        Assert.Throws<ArgumentException>(
            () => new RamBlockTable(new RamBlock("a", RamBlockTable.MaxRamBytes), new RamBlock("b", 4096)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RamBlock("a", 4097));
    }

    [Fact]
    public void HashQuery_IsGolden_AndReturnsWhatWasWritten()
    {
        var query = new PageHashQuery(1, 2);
        byte[] frame = Frames.Written(PageHashQuery.MaxHeadBytes, bytes => query.WriteHead(bytes, s_blocks));
        byte[] entry = new byte[PageHashQuery.EntryBytes];
        PageHashQuery.WriteEntry(entry, 0x1000, new UInt128(1, 2));

        Assert.Equal(Frames.Hex("636f0002 06 70632e726f6d 00000002"), frame);
        Assert.Equal(Frames.Hex("0000000000001000 0000000000000001 0000000000000002"), entry);
        Assert.Equal(FrameStatus.Ok, PageHashQuery.TryReadHead(frame, s_blocks, out PageHashQuery read, out int consumed));
        Assert.Equal((query, frame.Length), (read, consumed));
        Assert.Equal(FrameStatus.Ok, read.TryReadEntry(entry, s_blocks, out ulong offset, out UInt128 hash));
        Assert.Equal((0x1000ul, new UInt128(1, 2)), (offset, hash));
        Frames.AssertEveryTruncationNeedsMore(frame, source => PageHashQuery.TryReadHead(source, s_blocks, out _, out _));
        Frames.AssertEveryTruncationNeedsMore(entry, source => query.TryReadEntry(source, s_blocks, out _, out _));
    }

    [Theory]
    [InlineData("636f0003 06 70632e726f6d 00000002")]
    [InlineData("636f0002 06 70632e787878 00000002")]
    [InlineData("636f0002 06 70632e726f6d 00000000")]
    [InlineData("636f0002 06 70632e726f6d 00010001")]
    public void HashQuery_IsMalformed_PastALimit(string hex) =>
        Assert.Equal(FrameStatus.Malformed, PageHashQuery.TryReadHead(Frames.Hex(hex), s_blocks, out _, out _));

    [Theory]
    [InlineData(0x2000ul)]
    [InlineData(0x0800ul)]
    public void HashEntry_IsMalformed_WhenItIsNoPageOfTheBlock(ulong offset)
    {
        byte[] entry = new byte[PageHashQuery.EntryBytes];
        BinaryPrimitives.WriteUInt64BigEndian(entry, offset);

        Assert.Equal(FrameStatus.Malformed, new PageHashQuery(1, 1).TryReadEntry(entry, s_blocks, out _, out _));
    }

    [Fact]
    public void HashAnswer_IsGolden_AndReturnsWhatWasWritten()
    {
        byte[] frame = new byte[PageHashAnswer.FrameBytes(10)];
        PageHashAnswer.Write(frame, 10);
        PageHashAnswer.MarkDiffers(frame, 0);
        PageHashAnswer.MarkDiffers(frame, 9);

        Assert.Equal(Frames.Hex("636f0003 0000000a 01 02"), frame);
        Assert.Equal(FrameStatus.Ok, PageHashAnswer.TryRead(frame, 10, out ReadOnlySpan<byte> verdicts));
        for (int index = 0; index < 10; index++)
            Assert.Equal(index is 0 or 9, PageHashAnswer.Differs(verdicts, index));
        Frames.AssertEveryTruncationNeedsMore(frame, source => PageHashAnswer.TryRead(source, 10, out _));
    }

    [Theory]
    [InlineData("636f0003 0000000b 0102")]
    [InlineData("636f0003 0000000a 0104")]
    [InlineData("00000003 0000000a 0102")]
    public void HashAnswer_IsMalformed_WhenItIsNotTheAnswer(string hex) =>
        Assert.Equal(FrameStatus.Malformed, PageHashAnswer.TryRead(Frames.Hex(hex), 10, out _));

    private static RamSectionDecoder NewDecoder() => new(s_blocks, ColoFeatures.Deltas);

    private static RamRecord ReadOne(RamSectionDecoder decoder, byte[] frame)
    {
        Assert.Equal(FrameStatus.Ok, decoder.TryRead(frame, out RamRecord record, out int consumed));
        Assert.Equal(frame.Length, consumed);
        return record;
    }

    private static byte[] RandomRecord(Random random, RamSectionEncoder encoder, List<RamRecord> written)
    {
        byte[] bytes = new byte[RamSectionEncoder.MaxHeadBytes + 4096];
        int block = random.Next(2);
        ulong offset = (ulong)random.Next((int)(s_blocks[block].SizeBytes / 4096)) * 4096;
        int delta = random.Next(1, 4097);
        RamRecord record = random.Next(4) switch
        {
            0 => new RamRecord(RamRecordKind.ZeroPage, block, offset, 0),
            1 => new RamRecord(RamRecordKind.Page, block, offset, 4096),
            2 => new RamRecord(RamRecordKind.Delta, block, offset, delta),
            _ => new RamRecord(RamRecordKind.EndOfSection, -1, 0, 0),
        };
        written.Add(record);
        int length = record.Kind switch
        {
            RamRecordKind.ZeroPage => encoder.WriteZeroPage(bytes, block, offset),
            RamRecordKind.Page => encoder.WritePage(bytes, block, offset),
            RamRecordKind.Delta => encoder.WriteDelta(bytes, block, offset, delta),
            _ => RamSectionEncoder.WriteEndOfSection(bytes),
        };
        random.NextBytes(bytes.AsSpan(length, record.PayloadBytes));
        return bytes[..(length + record.PayloadBytes)];
    }
}
