using System.Runtime.InteropServices;
using Kvm.Colo.Devices.Tests.Virtio.Support;
using Kvm.Colo.Devices.Virtio.Balloon;
using Kvm.Colo.Memory;

namespace Kvm.Colo.Devices.Tests.Virtio.Balloon;

public sealed class VirtioBalloonTests : IDisposable
{
    private const ulong Buffers = VirtioBench<VirtioBalloon>.Buffers;
    private const ulong Ram = VirtioBench<VirtioBalloon>.RamBytes;
    private const uint FirstPage = 0x600;
    private const ulong FirstByte = (ulong)FirstPage << 12;
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(5);
    private readonly VirtioBench<VirtioBalloon> _bench = NewBench();

    public VirtioBalloonTests()
    {
        _bench.Driver.Start(_bench.Driver.OfferedFeatures);
        _bench.Loop.RunPosted();
    }

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Offers_WhatItWasConfiguredFor()
    {
        using VirtioBench<VirtioBalloon> plain = new(static host =>
            new VirtioBalloon(host, "balloon0", 0, new VirtioBalloonConfig(DeflatesOnOom: false, ReportsFreePages: false)));
        plain.Driver.Start(0);

        Assert.Equal(VirtioBalloon.DeflateOnOom | VirtioBalloon.PageReporting, _bench.Driver.OfferedFeatures & 0xFF);
        Assert.Equal(0ul, plain.Driver.OfferedFeatures & 0xFF);
        Assert.Equal((3, 2), (_bench.Driver.Queues.Count, plain.Driver.Queues.Count));
    }

    // Neighbours upwards, downwards, a lone one, one twice.
    [Fact]
    public void Inflate_GivesPagesBack_WhichReadAsZeros_AndAreMarked()
    {
        uint[] pages = [FirstPage, FirstPage + 1, FirstPage + 8, FirstPage + 7, FirstPage + 6, FirstPage + 20, FirstPage + 20];
        FillAbove();

        DirtyCheck.Run(_bench.Memory, () => Inflate(pages));

        for (uint page = FirstPage; page < FirstPage + 24; page++)
            Assert.Equal(Array.IndexOf(pages, page) < 0, _bench.Memory.Page(page).ContainsAnyExcept((byte)0));
        Assert.Equal([(0, 0u)], _bench.Driver.Queues[0].TakeUsed());
        Assert.Equal(7ul << 12, _bench.Device.DiscardedBytes);
    }

    [Fact]
    public void Inflate_GivesMemoryBackToTheHost()
    {
        FillAbove();

        Inflate([FirstPage, FirstPage + 1]);

        Assert.Equal(FirstPage + 2ul, _bench.Memory.NextPopulated(FirstPage));
    }

    [Fact]
    public void Inflate_OfWhatIsNotRam_IsCounted_AndTheRestIsDone()
    {
        FillAbove();

        Inflate([FirstPage, 0xFFFF_FFFF, FirstPage + 2]);

        Assert.Equal(1, _bench.Device.Faults.Count);
        Assert.False(_bench.Memory.Page(FirstPage).ContainsAnyExcept((byte)0));
        Assert.False(_bench.Memory.Page(FirstPage + 2).ContainsAnyExcept((byte)0));
        Assert.Single(_bench.Driver.Queues[0].TakeUsed());
    }

    [Fact]
    public void Deflate_IsAnswered_AndChangesNoPage()
    {
        FillAbove();
        _bench.Write(Buffers, MemoryMarshal.AsBytes<uint>([FirstPage]));

        _bench.Driver.Queues[1].Add(GuestBuffer.ToDevice(Buffers, 4));
        _bench.Driver.Notify(1);

        Assert.Single(_bench.Driver.Queues[1].TakeUsed());
        Assert.True(_bench.Memory.Page(FirstPage).ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void Report_GivesWholePagesBackOnly()
    {
        FillAbove();

        DirtyCheck.Run(_bench.Memory, () =>
        {
            _bench.Driver.Queues[2].Add(GuestBuffer.ToDriver(FirstByte + 100, 3 * 4096), GuestBuffer.ToDriver(FirstByte + 0x8000, 0x2000));
            _bench.Driver.Notify(2);
        });

        Assert.Equal([(0, 0u)], _bench.Driver.Queues[2].TakeUsed());
        bool[] isZero = [.. Enumerable.Range(0, 11).Select(i => !_bench.Memory.Page(FirstPage + (ulong)i).ContainsAnyExcept((byte)0))];
        Assert.Equal([false, true, true, false, false, false, false, false, true, true, false], isZero);
    }

    [Fact]
    public void Target_ReachesTheDriver_AndItsAnswerTheHost()
    {
        List<ulong> heard = [];
        _bench.Device.Changed = heard.Add;

        _bench.Device.SetTarget(Ram - 0x10_0000);
        Assert.Equal(2u, _bench.Driver.TakeInterrupt());
        Assert.Equal(0x100u, _bench.Driver.ReadConfiguration<uint>(0));
        _bench.Driver.Write(0x104, 0x80);
        _bench.Driver.Write(0x104, 0x80);

        Assert.Equal(0x80u, _bench.Driver.ReadConfiguration<uint>(4));
        Assert.Equal([Ram - 0x8_0000], heard);
        Assert.Equal(Ram - 0x8_0000, _bench.Device.ActualBytes);
    }

    [Fact]
    public void Target_BeyondAllRam_MeansAllOfIt_AndAnAbsurdAnswerMeansNone()
    {
        _bench.Device.SetTarget(ulong.MaxValue);
        Assert.Equal(0u, _bench.Driver.ReadConfiguration<uint>(0));
        _bench.Driver.Write(0x104, uint.MaxValue);
        Assert.Equal(0ul, _bench.Device.ActualBytes);
        _bench.Driver.Write(0x100, 1);
        Assert.Equal(1, _bench.Device.Faults.Count);
    }

    [Fact]
    public void Reset_KeepsTheHostsWish_AndForgetsTheGuestsAnswer()
    {
        _bench.Device.SetTarget(Ram / 2);
        _bench.Driver.Write(0x104, 5);

        _bench.Driver.Status = 0;

        Assert.Equal((uint)(Ram / 2 >> 12), _bench.Driver.ReadConfiguration<uint>(0));
        Assert.Equal(Ram, _bench.Device.ActualBytes);
    }

    [Fact]
    public void SaveLoadSave_IsByteEqual_OverALiveDevice()
    {
        _bench.Device.SetTarget(Ram / 2);
        _bench.Driver.Write(0x104, 5);
        Inflate([FirstPage]);
        Assert.True(_bench.Device.TryQuiesce(s_deadline));
        byte[] saved = SavedState.Save(_bench.Device);
        byte[] memory = _bench.Read(0, (int)Ram);

        using VirtioBench<VirtioBalloon> target = NewBench();
        target.Driver.Start(0);
        for (int round = 0; round < 2; round++)
        {
            Assert.True(target.Device.TryQuiesce(s_deadline));
            target.Write(0, memory);
            Assert.Null(SavedState.Load(target.Device, saved));
            Assert.Equal(saved, SavedState.Save(target.Device));
            target.Device.Resume();
            target.Loop.RunPosted();
            Assert.Equal(Ram - (5 << 12), target.Device.ActualBytes);
        }
    }

    // Class 10: overlapping descriptors make a chain of millions of page numbers.
    [Fact]
    public void Inflate_OfAHugeChain_EndsSoon()
    {
        var huge = GuestBuffer.ToDevice(Buffers, 1 << 20);
        _bench.Driver.Queues[0].Add(huge, huge, huge, huge);
        _bench.Driver.Notify(0);
        _bench.Loop.RunPosted();
        Assert.Single(_bench.Driver.Queues[0].TakeUsed());
        Assert.Equal(0, _bench.Device.UnexpectedExceptions);
    }

    private static VirtioBench<VirtioBalloon> NewBench() =>
        new(static host => new VirtioBalloon(host, "balloon0", 0, new VirtioBalloonConfig()));

    private void FillAbove() => _bench.Memory.TryFill(new GuestPhysicalAddress(FirstByte), 0xAA, 0x2_0000);

    private void Inflate(uint[] pages)
    {
        _bench.Write(Buffers, MemoryMarshal.AsBytes<uint>(pages));
        _bench.Driver.Queues[0].Add(GuestBuffer.ToDevice(Buffers, (uint)pages.Length * 4));
        _bench.Driver.Notify(0);
    }
}
