using System.Buffers.Binary;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.Memory.Tests;

public sealed class GuestMemoryTests
{
    private const ulong MiB = 1ul << 20;
    private const ulong GiB = 1ul << 30;

    [Theory]
    [InlineData(0)]
    [InlineData(4096)]
    [InlineData(MiB - 4096)]
    [InlineData(MiB + 1)]
    [InlineData(GuestMemory.MaxSizeBytes + 4096)]
    [InlineData(ulong.MaxValue)]
    public void Create_RefusesTheSize(ulong sizeBytes)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => GuestMemory.Create(sizeBytes));
        Assert.Throws<ArgumentOutOfRangeException>(() => GuestMemory.CreateReplica(sizeBytes));
    }

    [Theory]
    [InlineData(MiB, 1)]
    [InlineData(3 * GiB, 1)]
    [InlineData((3 * GiB) + 4096, 2)]
    [InlineData(5 * GiB, 2)]
    public void Slots_CoverTheRamBelowAndAboveTheHole(ulong sizeBytes, int expected)
    {
        using GuestMemory memory = GuestMemory.Create(sizeBytes);

        Assert.Equal(expected, memory.Slots.Count);
        Assert.Equal(sizeBytes >> 12, memory.PageCount);
        Assert.Equal(memory.PageCount, memory.Slots.Aggregate(0ul, (sum, slot) => sum + slot.PageCount));
        Assert.Equal(0ul, memory.Slots[0].Start.Value);
        Assert.All(memory.Slots, slot => Assert.Equal(slot.Start, memory.AddressOfPage(slot.FirstPage)));
        Assert.All(memory.Slots, slot => Assert.Equal(slot.Start.Value + slot.SizeBytes - 4096,
            memory.AddressOfPage(slot.FirstPage + slot.PageCount - 1).Value));
        if (expected == 2)
            Assert.Equal((4 * GiB, 3 * GiB), (memory.Slots[1].Start.Value, memory.Slots[1].RamOffset));
    }

    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(0, 3 * GiB, true)]
    [InlineData(0, (3 * GiB) + 1, false)]
    [InlineData((3 * GiB) - 8, 8, true)]
    [InlineData((3 * GiB) - 8, 9, false)]
    [InlineData(3 * GiB, 1, false)]
    [InlineData((4 * GiB) - 1, 2, false)]
    [InlineData(4 * GiB, 2 * GiB, true)]
    [InlineData(4 * GiB, (2 * GiB) + 1, false)]
    [InlineData((6 * GiB) - 1, 1, true)]
    [InlineData((6 * GiB) - 1, 2, false)]
    [InlineData(6 * GiB, 1, false)]
    [InlineData(ulong.MaxValue, 1, false)]
    [InlineData(ulong.MaxValue, ulong.MaxValue, false)]
    [InlineData(4096, ulong.MaxValue - 4095, false)]
    [InlineData(4096, ulong.MaxValue, false)]
    [InlineData((4 * GiB) + 4096, ulong.MaxValue - (4 * GiB), false)]
    public void Contains_ChecksTheRangeWithoutWrapping(ulong at, ulong lengthBytes, bool expected)
    {
        using GuestMemory memory = GuestMemory.Create(5 * GiB);
        GuestPhysicalAddress address = new(at);

        Assert.Equal(expected, memory.Contains(address, lengthBytes));
        Assert.Equal(expected, memory.TryGetHostRange(address, lengthBytes, out nuint host));
        Assert.Equal(expected, host != 0);
        if (!expected)
        {
            Assert.False(memory.MarkWritten(address, lengthBytes));
            Assert.False(memory.TryFill(address, 1, lengthBytes));
            Assert.Equal(0ul, memory.DeviceDirty.CountSet());
        }
    }

    [Theory]
    [InlineData((3 * GiB) - 4)]
    [InlineData((5 * GiB) - 4)]
    [InlineData(ulong.MaxValue - 3)]
    public void Access_WritesNothing_WhenTheRangeIsNotAllRam(ulong at)
    {
        using GuestMemory memory = GuestMemory.Create(4 * GiB);
        GuestPhysicalAddress address = new(at);
        byte[] bytes = new byte[8];

        Assert.False(memory.TryWrite(address, bytes.AsSpan()));
        Assert.False(memory.TryRead(address, bytes.AsSpan()));
        Assert.False(memory.TryWrite(address, ulong.MaxValue));
        Assert.False(memory.TryRead(address, out ulong value));
        Assert.Equal(0ul, value);
        Assert.False(memory.TryReadAcquire(new GuestPhysicalAddress(6 * GiB), out _));
        Assert.False(memory.TryWriteRelease(new GuestPhysicalAddress(6 * GiB), 1));
        Assert.Equal(0ul, memory.DeviceDirty.CountSet());
        Assert.Equal(memory.PageCount, memory.NextPopulated(0));
    }

    [Theory]
    [InlineData(0x1000)]
    [InlineData(0x1FFC)]
    [InlineData(4 * GiB)]
    [InlineData((5 * GiB) - 8)]
    public void Write_IsReadBack(ulong at)
    {
        using GuestMemory memory = GuestMemory.Create(4 * GiB);
        GuestPhysicalAddress address = new(at);
        byte[] bytes = new byte[8];

        Assert.True(memory.TryWrite(address, 0x1122_3344_5566_7788ul));

        Assert.True(memory.TryRead(address, out ulong value));
        Assert.Equal(0x1122_3344_5566_7788ul, value);
        Assert.True(memory.TryRead(address, bytes.AsSpan()));
        Assert.Equal(value, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        Assert.True(memory.TryReadAcquire(address, out ushort index));
        Assert.Equal(0x7788, index);
    }

    [Fact]
    public void Discard_GivesWholePagesBack_AndMarksThem()
    {
        using GuestMemory memory = GuestMemory.Create(2 << 20);
        memory.TryFill(new GuestPhysicalAddress(0), 7, 2 << 20);
        memory.DeviceDirty.ClearAll();

        Assert.True(memory.TryDiscard(new GuestPhysicalAddress(0x3000), 0x2000));

        Assert.Equal(3ul, memory.NextUnpopulated(0));
        Assert.Equal(5ul, memory.NextPopulated(3));
        Assert.False(memory.Page(4).ContainsAnyExcept((byte)0));
        Assert.Equal(7, memory.Page(5)[0]);
        Assert.Equal(2ul, memory.DeviceDirty.CountSet());
    }

    [Theory]
    [InlineData(0x3800, 0x1000)]
    [InlineData(0x3000, 0x800)]
    [InlineData(0x1FF000, 0x2000)]
    [InlineData(0xC0000000, 0x1000)]
    public void Discard_RefusesWhatIsNotWholePagesOfRam(ulong address, ulong lengthBytes)
    {
        using GuestMemory memory = GuestMemory.Create(2 << 20);

        Assert.False(memory.TryDiscard(new GuestPhysicalAddress(address), lengthBytes));

        Assert.Equal(0ul, memory.DeviceDirty.CountSet());
    }

    [Fact]
    public void RingIndex_IsRefused_WhenItIsNotAligned()
    {
        using GuestMemory memory = GuestMemory.Create(MiB);

        Assert.False(memory.TryReadAcquire(new GuestPhysicalAddress(0x101), out _));
        Assert.False(memory.TryWriteRelease(new GuestPhysicalAddress(0x101), 1));
        Assert.Equal(0ul, memory.DeviceDirty.CountSet());
    }

    [Fact]
    public void EveryWrite_MarksExactlyItsPages()
    {
        using GuestMemory memory = GuestMemory.Create(5 * GiB);
        ulong high = (3 * GiB) >> 12;

        AssertMarks(memory, () => memory.TryWrite(new GuestPhysicalAddress(0x1FFF), new byte[4098].AsSpan()), 1, 2, 3);
        AssertMarks(memory, () => memory.TryWrite(new GuestPhysicalAddress(0x5FFC), 0ul), 5, 6);
        AssertMarks(memory, () => memory.TryWrite(new GuestPhysicalAddress(0x5FF8), 0ul), 5);
        AssertMarks(memory, () => memory.TryFill(new GuestPhysicalAddress(4 * GiB), 9, 8192), high, high + 1);
        AssertMarks(memory, () => memory.TryWriteRelease(new GuestPhysicalAddress((4 * GiB) + 0x2000), 1), high + 2);
        AssertMarks(memory, () => memory.MarkWritten(new GuestPhysicalAddress((3 * GiB) - 1), 1), high - 1);
        AssertMarks(memory, () => memory.TryWrite(new GuestPhysicalAddress(0x3000), ReadOnlySpan<byte>.Empty));
        AssertMarks(memory, () => memory.MarkWritten(new GuestPhysicalAddress(3 * GiB), 0));
        AssertMarks(memory, () => memory.TryFill(new GuestPhysicalAddress(0), 1, 0));
    }

    [Fact]
    public void HostRange_IsTheMemoryTheGuestSees()
    {
        using GuestMemory memory = GuestMemory.Create(5 * GiB);
        Assert.True(memory.TryGetHostRange(new GuestPhysicalAddress((4 * GiB) + 0x5008), 8, out nuint host));

        System.Runtime.InteropServices.Marshal.WriteInt64((nint)host, 42);

        Assert.True(memory.TryRead(new GuestPhysicalAddress((4 * GiB) + 0x5008), out long value));
        Assert.Equal(42, value);
        Assert.Equal(42, memory.Page(((3 * GiB) >> 12) + 5)[8]);
    }

    [Fact]
    public void Fill_SetsTheWholeRange()
    {
        using GuestMemory memory = GuestMemory.Create(8 * MiB);

        Assert.True(memory.TryFill(new GuestPhysicalAddress(100), 0xA5, 3 * MiB));

        byte[] bytes = new byte[(3 * (int)MiB) + 2];
        Assert.True(memory.TryRead(new GuestPhysicalAddress(99), bytes.AsSpan()));
        Assert.Equal(0, bytes[0]);
        Assert.Equal(0, bytes[^1]);
        Assert.Equal(-1, bytes.AsSpan(1, bytes.Length - 2).IndexOfAnyExcept((byte)0xA5));
        Assert.Equal((3ul << 8) + 1, memory.DeviceDirty.CountSet());
    }

    [Fact]
    public void Marks_FromManyThreadsAreAllKept()
    {
        using GuestMemory memory = GuestMemory.Create(64 * MiB);
        const int Threads = 8;
        TestThread[] threads = [.. Enumerable.Range(0, Threads).Select(t => TestThread.Start($"writer-{t}", () =>
        {
            for (ulong page = (ulong)t; page < memory.PageCount; page += Threads)
                memory.TryWrite(new GuestPhysicalAddress(page << 12), (byte)1);
        }))];

        foreach (TestThread thread in threads)
            thread.Join(TimeSpan.FromSeconds(30));

        Assert.Equal(memory.PageCount, memory.DeviceDirty.CountSet());
    }

    [Fact]
    public void Harvest_DuringWritesMissesNoPage()
    {
        using GuestMemory memory = GuestMemory.Create(MiB);
        using PageBitmap taken = new(memory.PageCount);
        ulong[] seen = new ulong[memory.PageCount];
        bool stop = false;
        TestThread writer = TestThread.Start("writer", () =>
        {
            for (ulong value = 1; !Volatile.Read(ref stop); value++)
                memory.TryWrite(new GuestPhysicalAddress((value * 7 % memory.PageCount) << 12), value);
        });

        for (int round = 0; round < 2000; round++)
            Collect(memory, taken, seen);
        Volatile.Write(ref stop, true);
        writer.Join(TimeSpan.FromSeconds(30));
        Collect(memory, taken, seen);

        for (ulong page = 0; page < memory.PageCount; page++)
        {
            Assert.True(memory.TryRead(new GuestPhysicalAddress(page << 12), out ulong value));
            Assert.Equal(value, seen[page]);
        }
    }

    [Fact]
    public void Page_ThrowsBeyondTheEnd()
    {
        using GuestMemory memory = GuestMemory.Create(MiB);

        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Page(256).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.CommittedPage(ulong.MaxValue).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.WriteCommittedPage(1ul << 52, new byte[4096]));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.WriteCommittedPage(0, new byte[4095]));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.ZeroCommittedPage(256));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.DropPrivatePages(0, 1));
    }

    [Fact]
    public void Access_AllocatesNothing()
    {
        using GuestMemory memory = GuestMemory.Create(5 * GiB);
        byte[] buffer = new byte[4096];
        Exercise(memory, buffer);
        long before = GC.GetAllocatedBytesForCurrentThread();

        for (int i = 0; i < 1000; i++)
            Exercise(memory, buffer);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Dispose_MayBeCalledTwice()
    {
        GuestMemory memory = GuestMemory.CreateReplica(5 * GiB);
        string range = $"{memory.Slots[0].HostAddress:x}-";
        Assert.Contains(range, File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);

        memory.Dispose();
        memory.Dispose();

        Assert.DoesNotContain(range, File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
    }

    private static void Exercise(GuestMemory memory, byte[] buffer)
    {
        memory.TryWrite(new GuestPhysicalAddress(4 * GiB), buffer.AsSpan());
        memory.TryRead(new GuestPhysicalAddress(4 * GiB), buffer.AsSpan());
        memory.TryWrite(new GuestPhysicalAddress(64), 5u);
        memory.TryRead(new GuestPhysicalAddress(64), out uint _);
        memory.TryReadAcquire(new GuestPhysicalAddress(64), out _);
        memory.TryWriteRelease(new GuestPhysicalAddress(64), 1);
        memory.TryFill(new GuestPhysicalAddress(4096), 0, 4096);
    }

    private static void Collect(GuestMemory memory, PageBitmap taken, ulong[] seen)
    {
        taken.ClearAll();
        taken.TakeFrom(memory.DeviceDirty);
        for (ulong page = taken.NextSet(0); page < taken.PageCount; page = taken.NextSet(page + 1))
            seen[page] = BinaryPrimitives.ReadUInt64LittleEndian(memory.Page(page));
    }

    private static void AssertMarks(GuestMemory memory, Func<bool> write, params ulong[] pages)
    {
        memory.DeviceDirty.ClearAll();
        Assert.True(write());
        Assert.Equal((ulong)pages.Length, memory.DeviceDirty.CountSet());
        Assert.All(pages, page => Assert.True(memory.DeviceDirty.IsSet(page)));
    }
}
