using Xunit;

namespace Kvm.Colo.Memory.Tests;

public sealed class PageStagingTests
{
    private const int PerChunk = PageStaging.RecordsPerChunk;

    [Fact]
    public void TryAdd_StopsAtTheBound()
    {
        using PageStaging staging = new((ulong)PerChunk + 3);

        Fill(staging, PerChunk + 3);

        Assert.False(staging.TryAdd(out _));
        Assert.Equal(PerChunk + 3, staging.Count);
        Assert.Equal(2ul * PageStaging.ChunkBytes, staging.HeldBytes);
    }

    [Fact]
    public void TryAdd_GivesNothing_WhenTheBoundIsZero()
    {
        using PageStaging staging = new(0);

        Assert.False(staging.TryAdd(out _));
        Assert.Equal(0ul, staging.HeldBytes);
    }

    [Fact]
    public void Records_KeepTheirContent()
    {
        using PageStaging staging = new(10_000);
        Fill(staging, 3 * PerChunk);

        for (int i = 0; i < staging.Count; i++)
        {
            PageRecord record = staging.Record(i);
            Assert.Equal((ulong)i, record.Page);
            Assert.Equal((byte)i, record.Tag);
            Assert.Equal(Length(i), record.Payload.Length);
            Assert.False(record.Payload.ContainsAnyExcept((byte)i));
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(5)]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public void Record_ThrowsOutsideTheCount(int index)
    {
        using PageStaging staging = new(100);
        Fill(staging, 5);

        Assert.Throws<ArgumentOutOfRangeException>(() => staging.Record(index).Page);
    }

    [Fact]
    public void Reset_ReusesTheSameMemory_AndAllocatesNothing()
    {
        using PageStaging staging = new(4 * PerChunk);
        Fill(staging, 4 * PerChunk);
        ulong held = staging.HeldBytes;
        long before = GC.GetAllocatedBytesForCurrentThread();

        for (int epoch = 0; epoch < 20; epoch++)
        {
            staging.Reset();
            Fill(staging, 4 * PerChunk);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(held, staging.HeldBytes);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(GuestPage.SizeBytes + 1)]
    public void Write_RefusesMoreThanAPage_AndLeavesTheRecord(int length)
    {
        using PageStaging staging = new(10);
        Fill(staging, 2);

        Assert.Throws<ArgumentOutOfRangeException>(() => staging.Record(1).Write(7, 9, length).Length);

        Assert.Equal(1ul, staging.Record(1).Page);
        Assert.Equal(1, staging.Record(1).Tag);
    }

    [Fact]
    public void Trim_GivesChunksBackButNeverThoseInUse()
    {
        using PageStaging staging = new(10_000);
        Fill(staging, 4 * PerChunk);
        staging.Trim(0);
        Assert.Equal(4ul * PageStaging.ChunkBytes, staging.HeldBytes);

        staging.Reset();
        Fill(staging, PerChunk + 1);
        staging.Trim(10);

        Assert.Equal(2ul * PageStaging.ChunkBytes, staging.HeldBytes);
        Assert.Equal((ulong)PerChunk, staging.Record(PerChunk).Page);
        Fill(staging, PerChunk);
        Assert.Equal((2 * PerChunk) + 1, staging.Count);
    }

    [Fact]
    public void Dispose_GivesEverythingBackAndMayBeCalledTwice()
    {
        PageStaging staging = new(10_000);
        Fill(staging, PerChunk + 1);

        staging.Dispose();
        staging.Dispose();

        Assert.Equal(0ul, staging.HeldBytes);
        Assert.Equal(0, staging.Count);
    }

    private static void Fill(PageStaging staging, int records)
    {
        for (int i = 0; i < records; i++)
        {
            int index = staging.Count;
            if (!staging.TryAdd(out PageRecord record))
                throw new InvalidOperationException("the bound came early");
            record.Write((ulong)index, (byte)index, Length(index)).Fill((byte)index);
        }
    }

    // Nothing, what fits a head, one byte more, and whole pages.
    private static int Length(int index) => (index % 5) switch
    {
        0 => 0,
        1 => 1,
        2 => PageRecord.MaxInlineBytes,
        3 => PageRecord.MaxInlineBytes + 1,
        _ => GuestPage.SizeBytes,
    };
}
