using Kvm.Colo.Migration.Tests.Support;
using Xunit;

namespace Kvm.Colo.Migration.Tests.Outgoing;

public class EpochCaptureTests
{
    // The middle cache holds a fifth of the guest: pages are staged whole and as deltas, and thrown out of the cache in between.
    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    [InlineData(256)]
    public void Epochs_AreExact_WhateverIsCopiedAheadOfTheCut(int cachePages)
    {
        Random random = new(cachePages);
        byte[] bytes = new byte[4096];
        using EpochPipe pipe = new(256, cachePages);
        for (int epoch = 0; epoch < 200; epoch++)
        {
            for (int pass = random.Next(4); pass >= 0; pass--)
            {
                for (int write = random.Next(200); write > 0; write--)
                {
                    int length = random.Next(4) == 0 ? 4096 : random.Next(1, 64);
                    if (random.Next(8) == 0)
                        bytes.AsSpan(0, length).Clear();
                    else
                        random.NextBytes(bytes.AsSpan(0, length));
                    pipe.Write((ulong)random.Next(256), random.Next(4097 - length), bytes.AsSpan(0, length), random.Next(2) == 0);
                }

                if (pass > 0)
                    pipe.Capture.OnPaused(); // as often as a copy ahead of the cut
            }

            pipe.Commit();
            Assert.Null(pipe.FirstDifference());
        }
    }

    [Theory]
    [InlineData(256, 5)]
    [InlineData(65, 0)]
    [InlineData(64, 64)] // not worth another harvest
    [InlineData(1, 1)]
    public void PauseOfADirtySetThatStays_HoldsWhatIsWrittenAgain_OnceItIsLarge(int pages, int inPause)
    {
        using EpochPipe pipe = new(256, cachePages: 256);
        for (int epoch = 0; epoch < 3; epoch++)
        {
            Write(pipe, pages);
            if (epoch > 0)
            {
                pipe.Capture.CopyAhead();
                Write(pipe, Math.Min(pages, inPause)); // while it was copied
            }

            pipe.Commit();

            Assert.Equal(epoch == 0 ? pages : inPause, pipe.Capture.PausePages);
            Assert.Null(pipe.FirstDifference());
        }
    }

    private static void Write(EpochPipe pipe, int pages)
    {
        for (int page = 0; page < pages; page++)
            pipe.Write((ulong)page, 8, [(byte)Random.Shared.Next(256)], byDevice: false);
    }
}
