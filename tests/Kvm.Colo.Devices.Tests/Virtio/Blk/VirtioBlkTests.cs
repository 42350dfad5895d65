using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Kvm.Colo.Devices.Tests.Virtio.Support;
using Kvm.Colo.Devices.Virtio;
using static Kvm.Colo.Devices.Virtio.Blk.VirtioBlkProtocol;

namespace Kvm.Colo.Devices.Tests.Virtio.Blk;

public sealed class VirtioBlkTests
{
    private const ulong Data = BlkBench.Data;
    private const ulong All = FeatureFlush | FeatureDiscard | FeatureWriteZeroes | FeatureSegMax | FeatureBlockSize
        | VirtioFeature.RingIndirect | VirtioFeature.RingEventIndex;

    [Fact]
    public void Configuration_TellsTheDisk()
    {
        using var bench = new BlkBench();
        Assert.Equal(BlkBench.ImageBytes / 512ul, bench.Driver.ReadConfiguration<ulong>(ConfigCapacity));
        Assert.Equal(254u, bench.Driver.ReadConfiguration<uint>(ConfigSegMax));
        Assert.Equal(512u, bench.Driver.ReadConfiguration<uint>(ConfigBlockSize));
        Assert.Equal(1, bench.Driver.ReadConfiguration<byte>(ConfigWriteZeroesMayUnmap));
        Assert.Equal(0u, bench.Driver.ReadConfiguration<uint>(ConfigBytes));
        Assert.Equal(0ul, bench.Driver.OfferedFeatures & FeatureReadOnly);
    }

    [Fact]
    public void WriteFlushRead_GivesTheSameBytes_AsTheFileHolds()
    {
        using var bench = new BlkBench();
        bench.Driver.Start(All);
        byte[] content = new byte[1 << 20];
        new Random(11).NextBytes(content);
        bench.Virtio.Write(Data, content);
        int done = 0;
        for (int piece = 512; done + piece <= content.Length; piece = Math.Min(piece * 2, 128 * 1024))
        {
            ulong at = Data + (ulong)done;
            GuestBuffer[] halves = [GuestBuffer.ToDevice(at, 100), GuestBuffer.ToDevice(at + 100, (uint)piece - 100)];
            bench.Offer(TypeOut, (ulong)done / 512, halves);
            done += piece;
        }

        bench.Complete();
        Assert.InRange(bench.Queue.TakeUsed().Count, 10, 20);
        Assert.Equal(StatusOk, bench.Run(TypeFlush, 0));
        Assert.Equal(SHA256.HashData(content.AsSpan(0, done)), SHA256.HashData(bench.Image.AsSpan(0, done)));

        const ulong back = Data + (2 << 20);
        GuestBuffer[] parts = [GuestBuffer.ToDriver(back, 3), GuestBuffer.ToDriver(back + 3, (uint)done - 3)];
        Assert.Equal(StatusOk, bench.Run(TypeIn, 0, parts));
        Assert.Equal(SHA256.HashData(content.AsSpan(0, done)), SHA256.HashData(bench.Virtio.Read(back, done)));
        Assert.Equal(0, bench.Device.Faults.Count);
    }

    [Fact]
    public void UsedLength_CountsDataAndStatus()
    {
        using var bench = new BlkBench();
        bench.Driver.Start(All);
        bench.Offer(TypeIn, 0, GuestBuffer.ToDriver(Data, 4096));
        bench.Offer(TypeOut, 0, GuestBuffer.ToDevice(Data, 4096));
        bench.Complete();
        Assert.Equal([1u, 4097u], bench.Queue.TakeUsed().Select(static used => used.Length).Order());
    }

    [Fact]
    public void GetId_AnswersTheSerial_CutToTwentyBytesAndToTheBuffer()
    {
        using var bench = new BlkBench();
        bench.Driver.Start(All);
        Assert.Equal(StatusOk, bench.Run(TypeGetId, 0, GuestBuffer.ToDriver(Data, 20)));
        Assert.Equal("colo-serial-01234567", Encoding.ASCII.GetString(bench.Virtio.Read(Data, 20)));
        Assert.Equal(StatusOk, bench.Run(TypeGetId, 0, GuestBuffer.ToDriver(Data + 64, 4)));
        Assert.Equal("colo\0", Encoding.ASCII.GetString(bench.Virtio.Read(Data + 64, 5)));
    }

    [Fact]
    public void DiscardAndWriteZeroes_ZeroTheirRange()
    {
        using var bench = new BlkBench();
        bench.Driver.Start(All);
        bench.Virtio.Memory.TryFill(new Memory.GuestPhysicalAddress(Data), 0xAA, 64 * 1024);
        bench.Run(TypeOut, 0, GuestBuffer.ToDevice(Data, 64 * 1024));
        Assert.Equal(StatusOk, bench.Run(TypeWriteZeroes, 0, Range(8, 8, 0)));
        Assert.Equal(StatusOk, bench.Run(TypeWriteZeroes, 0, Range(24, 8, UnmapFlag)));
        Assert.Equal(StatusOk, bench.Run(TypeDiscard, 0, Range(64, 8, 0)));
        byte[] image = bench.Image;
        for (int sector = 0; sector < 128; sector++)
        {
            byte expected = sector is (>= 8 and < 16) or (>= 24 and < 32) or (>= 64 and < 72) ? (byte)0 : (byte)0xAA;
            Assert.True(image.AsSpan(sector * 512, 512).IndexOfAnyExcept(expected) < 0, $"sector {sector}");
        }

        Assert.Equal(StatusUnsupported, bench.Run(TypeDiscard, 0, Range(64, 8, UnmapFlag)));
        Assert.Equal(StatusUnsupported, bench.Run(TypeWriteZeroes, 0, Range(64, 8, 2)));
        Assert.Equal(StatusIoError, bench.Run(TypeDiscard, 0, Range(8191, 2, 0)));
        Assert.Equal(StatusIoError, bench.Run(TypeDiscard, 0, Range(ulong.MaxValue, 1, 0)));
        Assert.Equal(StatusIoError, bench.Run(TypeDiscard, 0, GuestBuffer.ToDevice(Data, 32)));

        GuestBuffer Range(ulong sector, uint count, uint flags)
        {
            byte[] range = new byte[RangeBytes];
            BinaryPrimitives.WriteUInt64LittleEndian(range, sector);
            BinaryPrimitives.WriteUInt32LittleEndian(range.AsSpan(8), count);
            BinaryPrimitives.WriteUInt32LittleEndian(range.AsSpan(12), flags);
            bench.Virtio.Write(Data + 0x8_0000, range);
            return GuestBuffer.ToDevice(Data + 0x8_0000, RangeBytes);
        }
    }

    // Class 15: the driver's ignorance of the feature does not make the disk writable.
    [Theory]
    [InlineData(0ul)]
    [InlineData(FeatureReadOnly)]
    public void ReadOnly_IsEnforced_WhateverWasNegotiated(ulong features)
    {
        using var bench = new BlkBench(isReadOnly: true);
        Assert.NotEqual(0ul, bench.Driver.OfferedFeatures & FeatureReadOnly);
        bench.Driver.Start(features | FeatureFlush);
        bench.Virtio.Memory.TryFill(new Memory.GuestPhysicalAddress(Data), 0xAA, 4096);
        Assert.Equal(StatusIoError, bench.Run(TypeOut, 0, GuestBuffer.ToDevice(Data, 4096)));
        Assert.Equal(StatusUnsupported, bench.Run(TypeDiscard, 0, GuestBuffer.ToDevice(Data, 16)));
        Assert.Equal(StatusOk, bench.Run(TypeIn, 0, GuestBuffer.ToDriver(Data, 4096)));
        Assert.True(bench.Image.AsSpan().IndexOfAnyExcept((byte)0) < 0);
    }

    public static TheoryData<uint, ulong, uint, byte> BadTransfers => new()
    {
        { TypeIn, 8192, 512, StatusIoError },
        { TypeIn, 8191, 1024, StatusIoError },
        { TypeOut, 8191, 1024, StatusIoError },
        { TypeIn, ulong.MaxValue, 512, StatusIoError },
        { TypeOut, 1ul << 55, 512, StatusIoError },
        { TypeIn, (1ul << 55) + 1, 512, StatusIoError },
        { TypeIn, 0, 511, StatusIoError },
        { TypeOut, 0, 1, StatusIoError },
        { 2, 0, 512, StatusUnsupported },
        { 0x8000_0000, 0, 512, StatusUnsupported },
        { uint.MaxValue, 0, 512, StatusUnsupported },
    };

    // Classes 9 and 11.
    [Theory]
    [MemberData(nameof(BadTransfers))]
    public void BadTransfer_IsAnErrorOfTheRequest(uint type, ulong sector, uint length, byte expected)
    {
        using var bench = new BlkBench();
        bench.Driver.Start(All);
        GuestBuffer data = type == TypeOut ? GuestBuffer.ToDevice(Data, length) : GuestBuffer.ToDriver(Data, length);
        Assert.Equal(expected, bench.Run(type, sector, data));
        Assert.Equal(StatusOk, bench.Run(TypeIn, 0, GuestBuffer.ToDriver(Data, 512)));
        Assert.Equal(GuestDriver.StatusRunning, bench.Driver.Status);
    }

    // Class 10: buffers may overlap, so their sum is not bounded by RAM.
    [Fact]
    public void HugeTransfer_OfOverlappingBuffers_IsRefused()
    {
        using var node = new HeldNode(1ul << 50);
        using var bench = new BlkBench(node);
        bench.Driver.Start(All);
        GuestBuffer[] data = [.. Enumerable.Repeat(GuestBuffer.ToDriver(Data, 4 << 20), 32)];
        int slot = bench.Offer(TypeIn, 0, data);
        bench.Driver.Notify(0);
        Assert.Equal(StatusIoError, bench.StatusOf(slot));
        Assert.Equal(0, node.InFlight);
    }

    [Fact]
    public void RequestWithoutHeaderOrStatus_ComesBackUntouched()
    {
        using var bench = new BlkBench();
        bench.Driver.Start(All);
        bench.Queue.Add(GuestBuffer.ToDevice(BlkBench.Headers, 15), GuestBuffer.ToDriver(BlkBench.Statuses, 1));
        bench.Queue.Add(GuestBuffer.ToDevice(BlkBench.Headers, 16));
        bench.Queue.Add(GuestBuffer.ToDriver(BlkBench.Statuses, 1));
        bench.Driver.Notify(0);
        Assert.Equal([0u, 0u, 0u], bench.Queue.TakeUsed().Select(static used => used.Length));
        Assert.Equal(3, bench.Device.Faults.Count);
        Assert.Equal(StatusOk, bench.Run(TypeFlush, 0));
    }

    [Fact]
    public void Header_MayBeSplit()
    {
        using var bench = new BlkBench();
        bench.Driver.Start(All);
        bench.WriteHeader(0, TypeGetId, 0);
        bench.Queue.Add(
            GuestBuffer.ToDevice(BlkBench.Headers, 5),
            GuestBuffer.ToDevice(BlkBench.Headers + 5, 11),
            GuestBuffer.ToDriver(Data, 20),
            GuestBuffer.ToDriver(BlkBench.Statuses, 1));
        bench.Complete();
        Assert.Equal([(0, 21u)], bench.Queue.TakeUsed());
    }

    // Class 22: whatever changed in RAM lies on a marked page.
    [Fact]
    public void EveryChangedPage_IsMarked()
    {
        using var bench = new BlkBench();
        bench.Driver.Start(All);
        byte[] noise = new byte[256 * 1024];
        new Random(5).NextBytes(noise);
        bench.Virtio.Write(Data, noise);
        bench.Run(TypeOut, 0, GuestBuffer.ToDevice(Data, (uint)noise.Length));
        for (ulong i = 0; i < 20; i++)
        {
            var first = GuestBuffer.ToDriver(Data + 0x10_0000 + (i * 5000), 1024);
            bench.Offer(TypeIn, i, first, GuestBuffer.ToDriver(Data + 0x20_0000 + (i * 9000), 512));
        }

        bench.Queue.SetUsedEvent(0);
        DirtyCheck.Run(bench.Virtio.Memory, bench.Complete);
        Assert.Equal(20, bench.Queue.TakeUsed().Count);
    }

    [Fact]
    public void Steadily_NothingIsAllocated()
    {
        using var bench = new BlkBench();
        bench.Driver.Start(All);
        bench.WriteHeader(0, TypeIn, 0);
        long before = 0;
        for (int round = 0; round < 400; round++)
        {
            if (round == 200)
                before = GC.GetAllocatedBytesForCurrentThread();
            bench.Queue.Add(
                GuestBuffer.ToDevice(BlkBench.Headers, 16),
                GuestBuffer.ToDriver(Data, 4096),
                GuestBuffer.ToDriver(BlkBench.Statuses, 1));
            bench.Complete();
            if (!bench.Queue.TryTakeUsed(out _, out uint length) || length != 4097)
                throw new InvalidOperationException("request not served");
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
