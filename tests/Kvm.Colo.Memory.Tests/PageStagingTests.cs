using System.Buffers.Binary;
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

        Assert.False(staging.TryAdd(out Span<byte> record));
        Assert.True(record.IsEmpty);
        Assert.Equal(PerChunk + 3, staging.Count);
        Assert.Equal(2ul * PerChunk * PageStaging.RecordBytes, staging.HeldBytes);
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
            Assert.Equal(i, BinaryPrimitives.ReadInt32LittleEndian(staging.Record(i)));
        Assert.Equal(PageStaging.RecordBytes, staging.Record(0).Length);
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

        Assert.Throws<ArgumentOutOfRangeException>(() => staging.Record(index).Length);
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
            for (int first = 0; first < staging.Count;)
            {
                _ = staging.Run(first, int.MaxValue, out int records);
                first += records;
            }
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(held, staging.HeldBytes);
    }

    [Theory]
    [InlineData(0, 1000, PerChunk)]
    [InlineData(0, 10, 10)]
    [InlineData(PerChunk - 1, 1000, 1)]
    [InlineData(PerChunk, 1000, 44)]
    [InlineData(PerChunk + 43, 1000, 1)]
    [InlineData(PerChunk + 44, 1000, 0)]
    [InlineData(PerChunk + 60, 1000, 0)]
    [InlineData(int.MaxValue, 1000, 0)]
    [InlineData(0, 0, 0)]
    [InlineData(0, -1, 0)]
    public void Run_GivesTheRecordsThatLieTogether(int first, int max, int expected)
    {
        using PageStaging staging = new(10_000);
        Fill(staging, PerChunk + 44);

        ReadOnlySpan<byte> run = staging.Run(first, max, out int records);

        Assert.Equal(expected, records);
        Assert.Equal(expected * PageStaging.RecordBytes, run.Length);
        for (int i = 0; i < records; i++)
            Assert.Equal(first + i, BinaryPrimitives.ReadInt32LittleEndian(run[(i * PageStaging.RecordBytes)..]));
    }

    [Fact]
    public void Run_ThrowsBeforeTheFirstRecord()
    {
        using PageStaging staging = new(100);
        Fill(staging, 5);

        Assert.Throws<ArgumentOutOfRangeException>(() => staging.Run(-1, 2, out _).Length);
    }

    [Fact]
    public void Trim_GivesChunksBackButNeverThoseInUse()
    {
        using PageStaging staging = new(10_000);
        Fill(staging, 4 * PerChunk);
        staging.Trim(0);
        Assert.Equal(4ul * PerChunk * PageStaging.RecordBytes, staging.HeldBytes);

        staging.Reset();
        Fill(staging, PerChunk + 1);
        staging.Trim(10);

        Assert.Equal(2ul * PerChunk * PageStaging.RecordBytes, staging.HeldBytes);
        Assert.Equal(PerChunk, BinaryPrimitives.ReadInt32LittleEndian(staging.Record(PerChunk)));
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
            if (!staging.TryAdd(out Span<byte> record))
                throw new InvalidOperationException("the bound came early");
            BinaryPrimitives.WriteInt32LittleEndian(record, index);
        }
    }
}
