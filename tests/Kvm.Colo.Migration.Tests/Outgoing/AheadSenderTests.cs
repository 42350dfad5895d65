using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Tests.Support;
using Xunit;

namespace Kvm.Colo.Migration.Tests.Outgoing;

public class AheadSenderTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(1024)]
    public void Epochs_AreExact_WhateverIsWrittenBetweenHarvestsAndSlices(int cachePages)
    {
        using EpochPipe pipe = new(1024, cachePages);
        Random random = new(cachePages + 1);
        int ahead = 0;
        int stale = 0;
        for (int epoch = 0; epoch < 60; epoch++)
        {
            for (int round = random.Next(6); round > 0; round--)
            {
                Scribble(pipe, random, random.Next(200));
                ahead += pipe.SendAhead(() => Scribble(pipe, random, random.Next(10)));
                if (random.Next(2) == 0)
                    pipe.Receive();
            }

            Scribble(pipe, random, random.Next(100));
            pipe.Capture.OnPaused();
            stale += pipe.Capture.StaleCount;
            pipe.Commit();
            Assert.Null(pipe.FirstDifference());
        }

        Assert.True(ahead > 1000 && stale > 100, $"{ahead} pages went ahead, {stale} of them for nothing");
    }

    [Fact]
    public void OnlySettledPages_GoAhead()
    {
        using EpochPipe pipe = new(256, 0);
        pipe.Write(1, 0, [1], byDevice: false);
        pipe.Write(2, 0, [1], byDevice: true);
        Assert.Equal(0, pipe.SendAhead());
        pipe.Write(2, 0, [2], byDevice: true);
        pipe.Write(3, 0, [2], byDevice: false);
        Assert.Equal(1, pipe.SendAhead());
        Assert.Equal(2, pipe.SendAhead());
        Assert.Equal(0, pipe.SendAhead());
        pipe.Commit();
        Assert.Null(pipe.FirstDifference());
    }

    [Fact]
    public void Page_GoesAheadOnceInAnEpoch()
    {
        using EpochPipe pipe = new(256, 0);
        pipe.Write(7, 0, [1], byDevice: false);
        pipe.SendAhead();
        Assert.Equal(1, pipe.SendAhead());
        pipe.Write(7, 0, [2], byDevice: false);
        Assert.Equal(0, pipe.SendAhead() + pipe.SendAhead() + pipe.SendAhead());
        pipe.Commit();
        Assert.Null(pipe.FirstDifference());
    }

    [Fact]
    public void PageThatBecomesWhatItWas_IsSentAgain()
    {
        using EpochPipe pipe = new(256, 256);
        pipe.Write(9, 0, [5, 5, 5], byDevice: false);
        pipe.Commit();
        pipe.Write(9, 0, [6], byDevice: false);
        pipe.SendAhead();
        Assert.Equal(1, pipe.SendAhead());
        pipe.Write(9, 0, [5], byDevice: false);
        pipe.Commit();
        Assert.Null(pipe.FirstDifference());
        Assert.Equal(5, pipe.Replica.CommittedPage(9)[0]);
    }

    [Fact]
    public void ExpensivePages_WaitForTheQuestionAboutTheirHashes()
    {
        using EpochPipe pipe = new(256, 256, asksForHashes: true);
        byte[] content = new byte[GuestPage.SizeBytes];
        new Random(1).NextBytes(content);
        pipe.Write(9, 0, content, byDevice: false);
        pipe.Write(10, 0, new byte[8], byDevice: false);
        pipe.SendAhead();
        Assert.Equal(1, pipe.SendAhead()); // the zeros
        pipe.Commit();
        Assert.Null(pipe.FirstDifference());
        pipe.Write(9, 0, [1, 2, 3], byDevice: false);
        pipe.SendAhead();
        Assert.Equal(1, pipe.SendAhead()); // now there is a base
        pipe.Commit();
        Assert.Null(pipe.FirstDifference());
    }

    [Fact]
    public void NothingIsVisible_BeforeTheCommit()
    {
        using EpochPipe pipe = new(256, 0);
        pipe.Write(7, 0, [1], byDevice: false);
        pipe.SendAhead();
        pipe.SendAhead();
        pipe.Receive();
        Assert.Equal(1, pipe.Staging.ReceivedAhead);
        Assert.Equal(7ul, pipe.FirstDifference());
        Assert.Equal(0, pipe.Replica.Page(7)[0]);
    }

    [Fact]
    public void HotGuest_IsLeftAlone()
    {
        using EpochPipe pipe = new(1024, 0, minPages: 100);
        int rounds = 0;
        for (int epoch = 0; epoch < 100; epoch++)
        {
            for (int round = 0; round < 4; round++)
            {
                WriteAll(pipe, 500);
                pipe.SendAhead();
            }

            rounds += pipe.Capture.AheadFaults > 0 ? 1 : 0;
            pipe.Commit();
        }

        Assert.InRange(rounds, 1, 6);
    }

    [Fact]
    public void SmallDirtySets_AreLeftAlone()
    {
        using EpochPipe pipe = new(1024, 0, minPages: 100);
        for (int epoch = 0; epoch < 10; epoch++)
        {
            WriteAll(pipe, 99);
            Assert.Equal(0, pipe.SendAhead() + pipe.SendAhead() + pipe.SendAhead());
            pipe.Commit();
        }
    }

    [Fact]
    public void SettlingGuest_SendsAheadInEveryEpoch()
    {
        using EpochPipe pipe = new(1024, 0, minPages: 100);
        WriteAll(pipe, 500);
        pipe.Commit();
        for (int epoch = 0; epoch < 20; epoch++)
        {
            WriteAll(pipe, 500);
            pipe.SendAhead();
            Assert.Equal(500, pipe.SendAhead());
            pipe.Commit();
            Assert.Null(pipe.FirstDifference());
        }
    }

    private static void WriteAll(EpochPipe pipe, ulong pages)
    {
        for (ulong page = 0; page < pages; page++)
            pipe.Write(page, 8, [(byte)(pipe.Memory.Page(page)[8] + 1)], byDevice: false);
    }

    private static void Scribble(EpochPipe pipe, Random random, int writes)
    {
        Span<byte> bytes = stackalloc byte[GuestPage.SizeBytes];
        for (int i = 0; i < writes; i++)
        {
            // A third of the pages gets most of the writes; now and then whole pages, zeros, or the bytes that were there before.
            ulong page = (ulong)random.Next((int)pipe.Memory.PageCount / (random.Next(3) == 0 ? 1 : 3));
            int length = random.Next(10) == 0 ? GuestPage.SizeBytes : random.Next(1, 32);
            int offset = random.Next(GuestPage.SizeBytes - length + 1);
            Span<byte> part = bytes[..length];
            if (random.Next(4) == 0)
                part.Clear();
            else if (random.Next(4) == 0)
                pipe.Replica.CommittedPage(page).Slice(offset, length).CopyTo(part);
            else
                random.NextBytes(part);
            pipe.Write(page, offset, part, byDevice: random.Next(2) == 0);
        }
    }
}
