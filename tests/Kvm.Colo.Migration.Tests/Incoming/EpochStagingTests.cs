using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Incoming;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Migration.Tests.Support;
using Kvm.Colo.Stream;
using Xunit;

namespace Kvm.Colo.Migration.Tests.Incoming;

public sealed class EpochStagingTests : IDisposable
{
    private const ulong Pages = 256;

    private readonly RamBlockTable _blocks = new(new RamBlock(MigrationConstants.RamBlockName, Pages << GuestPage.Shift));
    private readonly GuestMemory _memory = GuestMemory.CreateReplica(Pages << GuestPage.Shift);
    private readonly EpochStaging _staging = new(Pages);
    private readonly PageBitmap _changed = new(Pages);
    private readonly BufferLink _link = new();
    private readonly LinkReader _reader;
    private readonly RamSectionEncoder _encoder;
    private readonly RamSectionDecoder _decoder;
    private readonly byte[] _head = new byte[RamSectionEncoder.MaxHeadBytes];

    public EpochStagingTests()
    {
        _reader = new LinkReader(_link);
        _encoder = new RamSectionEncoder(_blocks);
        _decoder = new RamSectionDecoder(_blocks, ColoFeatures.Known);
    }

    public void Dispose()
    {
        _memory.Dispose();
        _staging.Dispose();
        _changed.Dispose();
        _link.Dispose();
    }

    [Fact]
    public void PageThatComesAgain_ReplacesTheFirst_AndItsDeltaIsAgainstTheCommittedPage()
    {
        _memory.WriteCommittedPage(3, Filled(1));
        Part(() => Page(3, 7));
        Assert.Equal(1, _staging.Count);
        byte[] expected = Filled(1);
        expected[100] = 9;
        byte[] delta = new byte[GuestPage.SizeBytes];
        int length = PageDelta.Encode(Filled(1), expected, delta);
        End(() => Delta(3, delta.AsSpan(0, length)));

        Assert.Equal((1, 2, 1), (_staging.Count, _staging.Received, _staging.ReceivedAhead));
        _staging.CommitTo(_memory, _changed);
        Assert.True(_memory.CommittedPage(3).SequenceEqual(expected));
        Assert.Equal(1ul, _changed.CountSet());
    }

    [Fact]
    public void DeltaSentAhead_IsReplacedByAPageOrZeros()
    {
        _memory.WriteCommittedPage(3, Filled(1));
        _memory.WriteCommittedPage(4, Filled(1));
        byte[] delta = new byte[GuestPage.SizeBytes];
        int length = PageDelta.Encode(Filled(1), [8, .. Filled(1)[1..]], delta);
        Part(() =>
        {
            Delta(3, delta.AsSpan(0, length));
            Delta(4, delta.AsSpan(0, length));
        });
        End(() =>
        {
            Page(3, 5);
            _link.Send(_head.AsSpan(0, _encoder.WriteZeroPage(_head, 0, 4 << GuestPage.Shift)));
        });
        _staging.CommitTo(_memory, _changed);
        Assert.True(_memory.CommittedPage(3).SequenceEqual(Filled(5)));
        Assert.True(_memory.CommittedPage(4).SequenceEqual(Filled(0)));
    }

    [Fact]
    public void OwnPage_ReplacesWhatWasSentAhead_OnlyIfItIsEqual()
    {
        _memory.WriteCommittedPage(3, Filled(1));
        Part(() => Page(3, 7));
        Assert.False(_staging.TryTakeOwn(_reader, _memory, 3, PageHash.Compute(Filled(2), 5), 5));
        Assert.True(_staging.TryTakeOwn(_reader, _memory, 3, PageHash.Compute(Filled(1), 5), 5));
        Assert.Equal((1, 1), (_staging.Count, _staging.Fates.Identical));
        _staging.CommitTo(_memory, _changed);
        Assert.True(_memory.CommittedPage(3).SequenceEqual(Filled(1)));
    }

    [Fact]
    public void DroppedEpoch_LeavesNothing()
    {
        Part(() => Page(3, 7));
        _staging.Reset();
        End(() => Page(4, 8));
        Assert.Equal((1, 1, 0), (_staging.Count, _staging.Received, _staging.ReceivedAhead));
        _staging.CommitTo(_memory, _changed);
        Assert.True(_memory.CommittedPage(3).SequenceEqual(Filled(0)));
        Assert.True(_memory.CommittedPage(4).SequenceEqual(Filled(8)));
    }

    [Fact]
    public void MorePagesThanTheGuestHas_AreRefused_AlsoWhenTheyAreTheSamePage()
    {
        Part(() => Page(3, 7)); // does not count
        End(() => Zeros((int)Pages));
        Assert.Equal("buffer sends more pages than the guest has", Assert.Throws<MigrationException>(() => End(() => Zeros(1))).Message);
    }

    [Fact]
    public void MorePagesAheadThanAreAllowed_AreRefused_AndHoldOneRecord()
    {
        Part(() => Zeros(RamSectionEncoder.MaxAheadRecords));
        Assert.Equal(1, _staging.Count);
        Assert.Equal(
            "buffer sends more than 65536 pages ahead of a cut", Assert.Throws<MigrationException>(() => Part(() => Zeros(1))).Message);
    }

    [Fact]
    public void EndOfRam_IsRefusedAhead() => Assert.Equal(
        "buffer: unexpected SectionEnd in an epoch",
        Assert.Throws<MigrationException>(() => Section(ElementKind.SectionEnd, static () => { }, isAhead: true)).Message);

    [Fact]
    public void LinkThatDropsInASection_LeavesTheCommittedImage()
    {
        _memory.WriteCommittedPage(3, Filled(1));
        Part(() => Page(3, 7));
        _link.Send([(byte)ElementKind.SectionPart, 0, 0, 0, (byte)RamSectionEncoder.SectionId]);
        _link.Send(_head.AsSpan(0, _encoder.WritePage(_head, 0, 3 << GuestPage.Shift)));
        _link.Send(new byte[1000]);
        Assert.Throws<LinkException>(() => _staging.ReceiveSection(_reader, _decoder, isAhead: true));
        Assert.True(_memory.CommittedPage(3).SequenceEqual(Filled(1)));
        Assert.True(_memory.Page(3).SequenceEqual(Filled(1)));
    }

    private static byte[] Filled(byte value)
    {
        byte[] page = new byte[GuestPage.SizeBytes];
        page.AsSpan().Fill(value);
        return page;
    }

    private void Page(ulong page, byte value)
    {
        _link.Send(_head.AsSpan(0, _encoder.WritePage(_head, 0, page << GuestPage.Shift)));
        _link.Send(Filled(value));
    }

    private void Delta(ulong page, ReadOnlySpan<byte> delta)
    {
        _link.Send(_head.AsSpan(0, _encoder.WriteDelta(_head, 0, page << GuestPage.Shift, delta.Length)));
        _link.Send(delta);
    }

    private void Zeros(int count)
    {
        for (int i = 0; i < count; i++)
            _link.Send(_head.AsSpan(0, _encoder.WriteZeroPage(_head, 0, 0)));
    }

    private void Part(Action records) => Section(ElementKind.SectionPart, records, isAhead: true);

    private void End(Action records) => Section(ElementKind.SectionEnd, records, isAhead: false);

    private void Section(ElementKind kind, Action records, bool isAhead)
    {
        Span<byte> frame = stackalloc byte[RamPageWord.SizeBytes + ElementCodec.FooterBytes];
        _link.Send(frame[..ElementCodec.WriteSection(frame, kind, RamSectionEncoder.SectionId)]);
        records();
        int length = RamSectionEncoder.WriteEndOfSection(frame);
        length += ElementCodec.WriteFooter(frame[length..], RamSectionEncoder.SectionId);
        _link.Send(frame[..length]);
        _staging.ReceiveSection(_reader, _decoder, isAhead);
    }
}
