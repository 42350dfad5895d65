using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Migration.Outgoing;
using Kvm.Colo.Migration.Tests.Support;
using Kvm.Colo.Stream;
using Xunit;

namespace Kvm.Colo.Migration.Tests.Outgoing;

public sealed class HashExchangeTests
{
    private const int Pages = 200;

    [Fact]
    public void AllAreAskedAboutAtOnce_AndWhatThePeerHasIsKnown()
    {
        using Question question = new();

        Assert.Equal(Pages, question.Prepare());
        Assert.Equal(0, question.Answer(static page => page % 3 != 0));

        Assert.Equal(Enumerable.Range(0, Pages).Select(static page => page % 3 == 0), question.Known());
        Assert.Equal(Pages, question.Prepare());
    }

    [Fact]
    public void WhereHardlyAnyWereTheSame_AFewAreAskedFirst_AndNoMoreWhenTheyDifferToo()
    {
        using Question question = new();
        question.Prepare();
        question.Answer(static page => page > 2);
        Assert.Equal(3, question.Known().Count(static known => known));

        int few = question.Prepare();

        Assert.InRange(few, 20, 32);
        Assert.Equal(0, question.Answer(static _ => true));
        Assert.DoesNotContain(true, question.Known());
        Assert.Equal(few, question.Prepare());
    }

    [Fact]
    public void AsSoonAsTheFewAreTheSame_TheOthersAreAskedAboutInTheSameEpoch()
    {
        using Question question = new();
        question.Prepare();
        question.Answer(static _ => true);

        int few = question.Prepare();
        int others = question.Answer(static page => page == 77);

        Assert.Equal(Pages, few + others);
        Assert.Equal(0, question.Answer(static page => page == 77));
        Assert.Equal(Enumerable.Range(0, Pages).Select(static page => page != 77), question.Known());
        Assert.Equal(Enumerable.Range(0, Pages), question.Asked.Order());
        Assert.Equal(Pages, question.Prepare());
    }

    [Fact]
    public void EpochOfAFewPages_IsAskedAboutAtOnce_WhateverWasBefore()
    {
        using Question question = new(pages: 20);
        question.Prepare();
        question.Answer(static _ => true);

        Assert.Equal(20, question.Prepare());
    }

    /// <summary>A captured epoch of whole pages, and a peer that answers what it is told to.</summary>
    private sealed class Question : IDisposable
    {
        private readonly GuestMemory _memory;
        private readonly MarkedLog _log;
        private readonly PageStaging _staging;
        private readonly EpochCapture _capture;
        private readonly BufferLink _link = new();
        private readonly LinkReader _reader;
        private readonly RamBlockTable _blocks;
        private readonly HashExchange _exchange;
        private readonly int _pages;
        private readonly StreamDigest _digest = new(3);

        public Question(int pages = Pages)
        {
            _pages = pages;
            _memory = GuestMemory.Create(1 << 20);
            _log = new MarkedLog(_memory.PageCount);
            _staging = new PageStaging(_memory.PageCount);
            _blocks = new RamBlockTable(new RamBlock(MigrationConstants.RamBlockName, _memory.SizeBytes));
            RamSectionEncoder records = new(_blocks);
            _capture = new EpochCapture(_memory, _log, _staging);
            _exchange = new HashExchange(new RamSender(_link, _memory, records), _blocks, 1);
            _reader = new LinkReader(_link);
        }

        /// <summary>Pages asked about in this epoch, in the order of the questions.</summary>
        public List<int> Asked { get; } = [];

        public int Prepare()
        {
            Asked.Clear();
            _capture.Begin();
            for (ulong page = 0; page < (ulong)_pages; page++)
                _log.Mark(page);
            _capture.OnPaused();
            return _exchange.Prepare(_capture);
        }

        /// <summary>Sends the question, reads it as the peer would, and answers it.</summary>
        public int Answer(Predicate<int> differs)
        {
            _exchange.Ask(_staging, _digest);
            int consumed;
            PageHashQuery query;
            while (PageHashQuery.TryReadHead(_reader.Available, _blocks, out query, out consumed) != FrameStatus.Ok)
                _reader.Fill();
            _reader.Consume(consumed);
            byte[] answer = new byte[PageHashAnswer.FrameBytes(query.Count)];
            PageHashAnswer.Write(answer, query.Count);
            int last = -1;
            for (int i = 0; i < query.Count; i++)
            {
                _reader.Require(PageHashQuery.EntryBytes);
                Assert.Equal(FrameStatus.Ok, query.TryReadEntry(_reader.Available, _blocks, out ulong offset, out _));
                _reader.Consume(PageHashQuery.EntryBytes);
                int page = (int)(offset >> GuestPage.Shift);
                Assert.True(page > last, "the offsets of a question ascend");
                last = page;
                Asked.Add(page);
                if (differs(page))
                    PageHashAnswer.MarkDiffers(answer, i);
            }

            Assert.Equal(FrameStatus.Ok, PageHashAnswer.TryRead(answer, query.Count, out ReadOnlySpan<byte> verdicts));
            return _exchange.OnVerdicts(verdicts);
        }

        public bool[] Known() => [.. Enumerable.Range(0, _pages).Select(_exchange.PeerHas)];

        public void Dispose()
        {
            _capture.Dispose();
            _staging.Dispose();
            _log.Dispose();
            _link.Dispose();
            _memory.Dispose();
        }
    }
}
