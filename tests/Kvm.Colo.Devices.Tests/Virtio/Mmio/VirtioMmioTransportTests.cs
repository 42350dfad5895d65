using Kvm.Colo.Devices.Tests.Virtio.Support;
using Kvm.Colo.Devices.Virtio;
using Kvm.Colo.Devices.Virtio.Mmio;
using Kvm.Colo.Devices.Virtio.Rng;
using static Kvm.Colo.Devices.Virtio.Mmio.VirtioMmioRegisters;

namespace Kvm.Colo.Devices.Tests.Virtio.Mmio;

public sealed class VirtioMmioTransportTests : IDisposable
{
    private readonly VirtioBench<VirtioRng> _bench = new(static host => new VirtioRng(host, "rng0"));

    private GuestDriver Driver => _bench.Driver;

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Read_IdentifiesVersion2AndTheDevice()
    {
        Assert.Equal(0x74726976u, Driver.Read(Magic));
        Assert.Equal(2u, Driver.Read(VirtioMmioRegisters.Version));
        Assert.Equal(VirtioRng.VirtioId, Driver.Read(DeviceId));
        Assert.Equal(VirtioFeature.Common, Driver.OfferedFeatures);
        Driver.Write(DeviceFeaturesSelect, 2);
        Assert.Equal(0u, Driver.Read(DeviceFeatures));
        Assert.Equal(uint.MaxValue, Driver.Read(SharedMemoryLengthLow));
        Assert.Equal(uint.MaxValue, Driver.Read(SharedMemoryBaseHigh));
    }

    [Fact]
    public void Read_AnswersZero_WhenWidthOrAlignmentIsWrong()
    {
        byte[] two = [9, 9];
        _bench.Transport.Read(Magic, two);
        Assert.Equal([0, 0], two);
        byte[] four = [9, 9, 9, 9];
        _bench.Transport.Read(Magic + 1, four);
        Assert.Equal([0, 0, 0, 0], four);
        Assert.Equal(2, _bench.Device.Faults.Count);
    }

    [Fact]
    public void Status_TakesTheFourSteps_AndTheFirstTwoInOne()
    {
        Driver.Start(0);
        Assert.Equal(GuestDriver.StatusRunning, Driver.Status);
        Driver.Status = 0;
        Driver.Status = GuestDriver.StatusDriven;
        Assert.Equal(GuestDriver.StatusDriven, Driver.Status);
        Assert.Equal(0, _bench.Device.Faults.Count);
    }

    // All pairs of a state the machine can be in and a byte the driver can write.
    [Fact]
    public void Status_ChangesNothing_ForEveryIllegalStep()
    {
        uint[] states = [0, 1, 3, 11, 15];
        foreach (uint from in states)
        {
            for (uint value = 1; value < 256; value++)
            {
                Reach(from);
                Driver.Status = value;
                uint wanted = value & ~64u;
                bool isStep = (from, wanted) is (0, 1) or (0, 3) or (1, 3) or (3, 11) or (11, 15);
                uint expected = (wanted & 128) != 0 ? from | 128 : isStep ? wanted : from;
                Assert.True(Driver.Status == expected, $"{from} -> {value}: {Driver.Status}, not {expected}");
            }
        }
    }

    [Fact]
    public void FeaturesOk_IsRefused_WithoutVersion1OrWithAnUnofferedFeature()
    {
        foreach (ulong features in (ulong[])[0, VirtioFeature.Version1 | 1, VirtioFeature.Version1 | (1ul << 63)])
        {
            Driver.Status = 0;
            Driver.Status = 1;
            Driver.Status = 3;
            Driver.SetDriverFeatures(features);
            Driver.Status = 11;
            Assert.Equal(3u, Driver.Status);
        }
    }

    [Fact]
    public void DriverFeatures_AreFrozen_OutsideTheirStep()
    {
        Driver.SetDriverFeatures(VirtioFeature.Version1);
        Assert.Equal(0ul, _bench.Device.DriverFeatures);
        Driver.Negotiate(VirtioFeature.Version1);
        Driver.SetDriverFeatures(VirtioFeature.Common);
        Assert.Equal(VirtioFeature.Version1, _bench.Device.DriverFeatures);
    }

    [Fact]
    public void QueueRegisters_AreFrozen_WhenReadyAndWhenRunning()
    {
        Driver.Negotiate(VirtioFeature.Version1);
        Driver.SetUpQueue(0, 16);
        Virtqueue queue = _bench.Device.Queues[0];
        ulong table = queue.DescriptorTable;
        Driver.Write(QueueSize, 32);
        Driver.Write(QueueDescriptorLow, 0x1234_0000);
        Assert.Equal((16, table), (queue.Size, queue.DescriptorTable));
        Driver.Status = 15;
        Driver.Write(QueueReady, 0);
        Assert.True(queue.IsReady);
        Driver.Write(QueueUsedHigh, 7);
        Assert.Equal(0ul, queue.UsedRing >> 32);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(3u)]
    [InlineData(128u)]
    [InlineData(uint.MaxValue)]
    public void QueueSize_StaysWhenIllegal(uint size)
    {
        Driver.Negotiate(VirtioFeature.Version1);
        Driver.Write(QueueSize, size);
        Assert.Equal(VirtioRng.QueueSize, _bench.Device.Queues[0].Size);
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(0x8000_0000u)]
    [InlineData(uint.MaxValue)]
    public void QueueSelect_OutOfRange_IsAnAbsentQueue(uint select)
    {
        Driver.Negotiate(VirtioFeature.Version1);
        Driver.Write(QueueSelect, select);
        Assert.Equal(0u, Driver.Read(QueueSizeMax));
        Assert.Equal(0u, Driver.Read(QueueReady));
        Driver.Write(QueueReady, 1);
        Driver.Write(QueueSize, 16);
        Driver.Notify(select);
        Assert.Equal(GuestDriver.StatusNegotiated, Driver.Status);
    }

    public static TheoryData<ulong, ulong, ulong> BadRings => new()
    {
        { VirtioBench<VirtioRng>.RamBytes - 16, 0x1000, 0x2000 },
        { 0x1000, VirtioBench<VirtioRng>.RamBytes, 0x2000 },
        { 0x1000, 0x3000, ulong.MaxValue - 3 },
        { 0x1008, 0x3000, 0x4000 },
        { 0x1000, 0x3001, 0x4000 },
        { 0x1000, 0x3000, 0x4002 },
        { ulong.MaxValue & ~15ul, 0x3000, 0x4000 },
    };

    [Theory]
    [MemberData(nameof(BadRings))]
    public void DriverOk_FailsTheDevice_WhenARingIsNotAlignedRam(ulong table, ulong available, ulong used)
    {
        Driver.Negotiate(VirtioFeature.Version1);
        Driver.Write(QueueSelect, 0);
        Driver.Write(QueueDescriptorLow, (uint)table);
        Driver.Write(QueueDescriptorHigh, (uint)(table >> 32));
        Driver.Write(QueueAvailableLow, (uint)available);
        Driver.Write(QueueAvailableHigh, (uint)(available >> 32));
        Driver.Write(QueueUsedLow, (uint)used);
        Driver.Write(QueueUsedHigh, (uint)(used >> 32));
        Driver.Write(QueueReady, 1);
        Driver.Status = 15;
        Assert.Equal(15u | 64u, Driver.Status);
        Assert.Equal(2u, Driver.TakeInterrupt());
        Driver.Notify(0);
        Driver.Start(0);
        Assert.Equal(15u, Driver.Status);
    }

    [Fact]
    public void InterruptLine_FollowsStatus()
    {
        Driver.Start(0);
        Driver.Queues[0].Add(GuestBuffer.ToDriver(VirtioBench<VirtioRng>.Buffers, 16));
        Driver.Notify(0);
        Assert.True(_bench.Line.Level);
        Assert.Equal(1u, Driver.Read(InterruptStatus));
        Driver.Write(InterruptAcknowledge, 2);
        Assert.True(_bench.Line.Level);
        Driver.Write(InterruptAcknowledge, 1);
        Assert.False(_bench.Line.Level);
    }

    [Fact]
    public void InterruptLine_RisesOnce_UntilAcknowledged()
    {
        Driver.Start(0);
        for (int round = 1; round <= 3; round++)
        {
            for (int request = 0; request < 2; request++)
            {
                Driver.Queues[0].Add(GuestBuffer.ToDriver(VirtioBench<VirtioRng>.Buffers, 16));
                Driver.Notify(0);
                Assert.Equal(round, _bench.Line.Rises);
            }

            Driver.Write(InterruptAcknowledge, 1);
        }
    }

    [Fact]
    public void Acknowledge_DoesNotWaitForTheDevice()
    {
        Driver.Start(0);
        Driver.Queues[0].Add(GuestBuffer.ToDriver(VirtioBench<VirtioRng>.Buffers, 16));
        Driver.Notify(0);
        uint seen = 0;
        Thread vcpu = new(() =>
        {
            seen = Driver.Read(InterruptStatus);
            Driver.Write(InterruptAcknowledge, seen);
        });
        lock (_bench.Device.Gate)
        {
            vcpu.Start();
            Assert.True(vcpu.Join(TimeSpan.FromSeconds(30)));
        }

        Assert.Equal(1u, seen);
        Assert.False(_bench.Line.Level);
    }

    [Fact]
    public void Reset_ForgetsEverything()
    {
        Driver.Start(VirtioFeature.RingEventIndex, 16);
        Driver.Queues[0].Add(GuestBuffer.ToDriver(VirtioBench<VirtioRng>.Buffers, 16));
        Driver.Notify(0);
        Driver.Status = 0;
        Assert.False(_bench.Line.Level);
        Assert.Equal(0u, Driver.Read(InterruptStatus));
        Assert.Equal(0ul, _bench.Device.DriverFeatures);
        Assert.Equal(VirtioRng.QueueSize, _bench.Device.Queues[0].Size);
        Assert.False(_bench.Device.Queues[0].IsReady);
    }

    [Fact]
    public void Configuration_IsReadOnlyAndBounded()
    {
        byte[] data = [1, 2, 3, 4, 5, 6, 7, 8];
        _bench.Transport.Write(Configuration, data);
        _bench.Transport.Write(VirtioMmioTransport.WindowBytes - 1, data);
        _bench.Transport.Read(VirtioMmioTransport.WindowBytes - 4, data);
        Assert.All(data, static value => Assert.Equal(0, value));
        Assert.Equal(2, _bench.Device.Faults.Count);
    }

    private void Reach(uint status)
    {
        Driver.Status = 0;
        if (status >= 1)
            Driver.Status = 1;
        if (status >= 3)
        {
            Driver.Status = 3;
            Driver.SetDriverFeatures(VirtioFeature.Version1);
        }

        if (status >= 11)
            Driver.Status = 11;

        if (status >= 15)
            Driver.Status = 15;
        Assert.Equal(status, Driver.Status);
    }
}
