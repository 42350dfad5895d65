using Xunit;

namespace Kvm.Colo.Memory.Tests;

public sealed class ReplicaMemoryTests
{
    private const ulong Size = 5ul << 30;
    private const ulong HighPage = (3ul << 30) >> 12;

    [Fact]
    public void CommittedWrite_ShowsThroughACleanPage()
    {
        using GuestMemory memory = GuestMemory.CreateReplica(Size);
        Assert.Equal(0, memory.Page(HighPage)[0]);

        memory.WriteCommittedPage(HighPage, Filled(1));

        Assert.Equal(Filled(1), memory.Page(HighPage));
        Assert.Equal(Filled(1), memory.CommittedPage(HighPage));
        Assert.True(memory.TryRead(new GuestPhysicalAddress(4ul << 30), out byte value));
        Assert.Equal(1, value);
        Assert.Equal(0ul, memory.DeviceDirty.CountSet());
    }

    [Fact]
    public void CommittedWrite_DoesNotShowThroughAPrivatePage()
    {
        using GuestMemory memory = GuestMemory.CreateReplica(Size);
        memory.WriteCommittedPage(7, Filled(1));
        memory.TryWrite(new GuestPhysicalAddress(7 << 12), (byte)9);

        memory.WriteCommittedPage(7, Filled(2));

        Assert.Equal(9, memory.Page(7)[0]);
        Assert.Equal(1, memory.Page(7)[1]);
        Assert.Equal(Filled(2), memory.CommittedPage(7));
    }

    [Fact]
    public void Discard_LeavesTheCommittedImageAlone_WhileItCounts()
    {
        using GuestMemory memory = GuestMemory.CreateReplica(Size);
        memory.WriteCommittedPage(7, Filled(1));

        Assert.True(memory.TryDiscard(new GuestPhysicalAddress(6 << 12), 3 << 12));

        Assert.Equal(Filled(0), memory.Page(7));
        Assert.Equal(Filled(1), memory.CommittedPage(7));
        Assert.Equal(3ul, memory.DeviceDirty.CountSet());
        Assert.Equal(8ul, memory.NextUnpopulated(7));
        memory.DropPrivatePages(7, 1);
        Assert.Equal(Filled(1), memory.Page(7));
    }

    [Fact]
    public void Discard_AfterAFailover_DropsBothCopies()
    {
        using GuestMemory memory = GuestMemory.CreateReplica(Size);
        memory.WriteCommittedPage(7, Filled(1));
        memory.TryFill(new GuestPhysicalAddress(8 << 12), 5, 4096);
        memory.KeepsCommittedImage = false;

        Assert.True(memory.TryDiscard(new GuestPhysicalAddress(7 << 12), 2 << 12));

        Assert.Equal(memory.PageCount, memory.NextPopulated(0));
        Assert.Equal(Filled(0), memory.Page(7));
        Assert.Equal(Filled(0), memory.Page(8));
    }

    [Fact]
    public void PrivateWrite_LeavesTheCommittedImageAlone()
    {
        using GuestMemory memory = GuestMemory.CreateReplica(Size);

        memory.TryFill(new GuestPhysicalAddress(0), 0xEE, 1 << 20);

        Assert.Equal(memory.PageCount, FirstNonZeroCommitted(memory));
        Assert.Equal(256ul, memory.DeviceDirty.CountSet());
    }

    [Fact]
    public void DropPrivatePages_BringsTheCommittedImageBack()
    {
        using GuestMemory memory = GuestMemory.CreateReplica(Size);
        for (ulong page = 10; page < 20; page++)
        {
            memory.WriteCommittedPage(page, Filled(1));
            memory.TryFill(new GuestPhysicalAddress(page << 12), 5, 4096);
            memory.WriteCommittedPage(page, Filled(2));
        }

        memory.DropPrivatePages(12, 5);

        for (ulong page = 10; page < 20; page++)
            Assert.Equal(Filled(page is >= 12 and < 17 ? (byte)2 : (byte)5), memory.Page(page));
    }

    [Fact]
    public void RestorePrivatePage_CopiesTheCommittedImage()
    {
        using GuestMemory memory = GuestMemory.CreateReplica(Size);
        memory.WriteCommittedPage(3, Filled(1));
        memory.TryFill(new GuestPhysicalAddress(3 << 12), 5, 4096);

        memory.RestorePrivatePage(3);
        Assert.Equal(Filled(1), memory.Page(3));
        memory.WriteCommittedPage(3, Filled(2));

        Assert.Equal(Filled(1), memory.Page(3)); // still private: only dropping it follows the image again
        memory.DropPrivatePages(3, 1);
        Assert.Equal(Filled(2), memory.Page(3));
    }

    [Theory]
    [InlineData(0, Size)]
    [InlineData((Size >> 12) + 1, 0)]
    [InlineData(Size >> 12, 1)]
    [InlineData(1, ulong.MaxValue)]
    [InlineData(ulong.MaxValue, 2)]
    public void DropPrivatePages_RefusesAnImpossibleRange(ulong first, ulong count)
    {
        using GuestMemory memory = GuestMemory.CreateReplica(Size);

        Assert.Throws<ArgumentOutOfRangeException>(() => memory.DropPrivatePages(first, count));
    }

    [Fact]
    public void DropPrivatePages_TakesTheWholeRamAndNothing()
    {
        using GuestMemory memory = GuestMemory.CreateReplica(Size);
        memory.TryWrite(new GuestPhysicalAddress(Size + (1ul << 30) - 1), (byte)1);

        memory.DropPrivatePages(memory.PageCount, 0);
        memory.DropPrivatePages(0, memory.PageCount);

        Assert.True(memory.TryRead(new GuestPhysicalAddress(Size + (1ul << 30) - 1), out byte value));
        Assert.Equal(0, value);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ZeroCommittedPage_LeavesAnUntouchedPageUnpopulated(bool replica)
    {
        using GuestMemory memory = replica ? GuestMemory.CreateReplica(Size) : GuestMemory.Create(Size);
        memory.WriteCommittedPage(100, Filled(1));

        memory.ZeroCommittedPage(99);
        memory.ZeroCommittedPage(HighPage + 5);
        memory.ZeroCommittedPage(100);

        Assert.Equal(100ul, memory.NextPopulated(0));
        Assert.Equal(memory.PageCount, memory.NextPopulated(101));
        Assert.Equal(-1, memory.CommittedPage(100).IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void NextPopulated_WalksWhatTheFileHolds()
    {
        using GuestMemory memory = GuestMemory.Create(Size);
        ulong[] pages = [0, 1, 5, HighPage - 1, HighPage, HighPage + 9, (Size >> 12) - 1];
        foreach (ulong page in pages)
            memory.TryWrite(memory.AddressOfPage(page), (byte)1);

        List<ulong> found = [];
        for (ulong page = memory.NextPopulated(0); page < memory.PageCount; page = memory.NextPopulated(page + 1))
            found.Add(page);

        Assert.Equal(pages, found);
        Assert.Equal(2ul, memory.NextUnpopulated(0));
        Assert.Equal(HighPage + 1, memory.NextUnpopulated(HighPage - 1));
        Assert.Equal(memory.PageCount, memory.NextUnpopulated((Size >> 12) - 1));
        Assert.Equal(memory.PageCount, memory.NextPopulated(memory.PageCount));
        Assert.Equal(memory.PageCount, memory.NextPopulated(ulong.MaxValue));
        Assert.Equal(memory.PageCount, memory.NextUnpopulated(ulong.MaxValue));
    }

    [Fact]
    public void PrivatePages_AreNotHeldByTheFile()
    {
        using GuestMemory memory = GuestMemory.CreateReplica(Size);
        memory.WriteCommittedPage(4, Filled(3));
        memory.TryWrite(new GuestPhysicalAddress(4 << 12), (byte)1);

        Assert.Equal(4ul, memory.NextPopulated(0));
        Assert.Equal(memory.PageCount, memory.NextPopulated(5));
    }

    [Fact]
    public void RandomWritesAndDrops_FollowAModel()
    {
        const int Pages = 256;
        using GuestMemory memory = GuestMemory.CreateReplica(Pages << 12);
        byte[] committed = new byte[Pages];
        byte?[] own = new byte?[Pages];
        Random random = new(20240611);
        for (int step = 0; step < 20_000; step++)
        {
            int page = random.Next(Pages);
            byte value = (byte)random.Next(256);
            switch (random.Next(5))
            {
                case 0:
                    memory.WriteCommittedPage((ulong)page, Filled(value));
                    committed[page] = value;
                    break;
                case 1:
                    memory.TryFill(new GuestPhysicalAddress((ulong)page << 12), value, 4096);
                    own[page] = value;
                    break;
                case 2:
                    int count = random.Next(Math.Min(Pages - page, 9));
                    memory.DropPrivatePages((ulong)page, (ulong)count);
                    own.AsSpan(page, count).Clear();
                    break;
                case 3:
                    memory.RestorePrivatePage((ulong)page);
                    own[page] = own[page] is null ? null : committed[page];
                    break;
                default:
                    memory.ZeroCommittedPage((ulong)page);
                    committed[page] = 0;
                    break;
            }

            Assert.Equal(-1, memory.Page((ulong)page).IndexOfAnyExcept(own[page] ?? committed[page]));
            Assert.Equal(-1, memory.CommittedPage((ulong)page).IndexOfAnyExcept(committed[page]));
        }
    }

    private static ulong FirstNonZeroCommitted(GuestMemory memory)
    {
        for (ulong page = memory.NextPopulated(0); page < memory.PageCount; page = memory.NextPopulated(page + 1))
        {
            if (memory.CommittedPage(page).ContainsAnyExcept((byte)0))
                return page;
        }

        return memory.PageCount;
    }

    private static byte[] Filled(byte value)
    {
        byte[] page = new byte[GuestPage.SizeBytes];
        page.AsSpan().Fill(value);
        return page;
    }
}
