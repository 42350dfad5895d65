using Kvm.Colo.Devices.Tests.Virtio.Support;
using Kvm.Colo.Native;
using static Kvm.Colo.Devices.Virtio.Blk.VirtioBlkProtocol;

namespace Kvm.Colo.Devices.Tests.Virtio.Blk;

/// <summary>What happens while requests are with the host: quiesce, reset, failure, the same head twice.</summary>
public sealed class VirtioBlkInFlightTests : IDisposable
{
    private const ulong Data = BlkBench.Data;
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);
    private readonly HeldNode _node = new(1 << 20);
    private readonly BlkBench _bench;

    public VirtioBlkInFlightTests()
    {
        _bench = new BlkBench(_node);
        _bench.Driver.Start(FeatureFlush);
        _bench.Virtio.Loop.RunPosted();
    }

    private GuestDriver Driver => _bench.Driver;

    private GuestQueue Queue => _bench.Queue;

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Quiesce_Fails_WhenTheHostIsTooSlow_AndTheDeviceGoesOn()
    {
        _bench.Offer(TypeIn, 0, GuestBuffer.ToDriver(Data, 512));
        Driver.Notify(0);
        Assert.False(_bench.Device.TryQuiesce(TimeSpan.FromMilliseconds(20)));
        _node.Release(content: 7);
        _bench.Virtio.Loop.RunPosted();
        Assert.Single(Queue.TakeUsed());
        Assert.Equal(StatusOk, _bench.Run(TypeGetId, 0, GuestBuffer.ToDriver(Data, 20)));
    }

    // Class 16: the interrupt of a drained request is in the controller before the state is captured.
    [Fact]
    public void Quiesce_CompletesWhatIsInFlight_WithItsInterrupt()
    {
        for (int i = 0; i < 3; i++)
            _bench.Offer(TypeIn, 0, GuestBuffer.ToDriver(Data + 4096ul * (ulong)i, 512));
        Driver.Notify(0);
        Assert.Equal(3, _bench.Device.InFlight);
        var releaser = new Thread(() =>
        {
            for (int i = 0; i < 3; i++)
                _node.Release(content: 9);
        });
        releaser.Start();
        Assert.True(_bench.Device.TryQuiesce(s_deadline));
        releaser.Join();
        Assert.Equal(3, Queue.TakeUsed().Count);
        Assert.True(_bench.Virtio.Line.Level);
        Assert.Equal(9, _bench.Virtio.Read(Data + 8192 + 511, 1)[0]);

        _bench.Offer(TypeIn, 0, GuestBuffer.ToDriver(Data, 512));
        Driver.Notify(0);
        _bench.Virtio.Loop.RunPosted();
        Assert.Equal(0, _node.InFlight);
        _bench.Device.Resume();
        _bench.Virtio.Loop.RunPosted();
        Assert.Equal(1, _node.InFlight);
    }

    // Class 2: nothing writes to guest memory once the reset has been read back.
    [Fact]
    public void Reset_WaitsForTheHost_AndMarksWhatItWrote()
    {
        _bench.Offer(TypeIn, 0, GuestBuffer.ToDriver(Data, 4096));
        Driver.Notify(0);
        var releaser = new Thread(() => _node.Release(content: 5));
        DirtyCheck.Run(_bench.Virtio.Memory, () =>
        {
            releaser.Start();
            Driver.Status = 0;
        });
        releaser.Join();
        Assert.Equal(0u, Driver.Status);
        Assert.Equal(0, _bench.Device.InFlight);
        Assert.Equal(5, _bench.Virtio.Read(Data + 4095, 1)[0]);
        _bench.Virtio.Loop.RunPosted();
        Assert.Empty(Queue.TakeUsed());
        Assert.False(_bench.Virtio.Line.Level);

        Driver.Start(FeatureFlush);
        Assert.Equal(StatusOk, _bench.Run(TypeGetId, 0, GuestBuffer.ToDriver(Data, 20)));
    }

    [Fact]
    public void Failure_WithRequestsInFlight_TouchesTheRingNoMore()
    {
        _bench.Offer(TypeIn, 0, GuestBuffer.ToDriver(Data, 512));
        Driver.Notify(0);
        Queue.SetAvailableIndex(0x7000);
        Driver.Notify(0);
        Assert.Equal(15u | 64u, Driver.Status);
        _node.Release();
        _bench.Virtio.Loop.RunPosted();
        Assert.Empty(Queue.TakeUsed());
        Assert.Equal(0, _bench.Device.InFlight);
    }

    [Fact]
    public void OneHeadTwice_IsTwoRequests()
    {
        _bench.Offer(TypeIn, 0, GuestBuffer.ToDriver(Data, 512));
        Queue.Offer(0);
        Queue.Offer(0);
        Driver.Notify(0);
        Assert.Equal(3, _node.InFlight);
        for (int i = 0; i < 3; i++)
            _node.Release();
        _bench.Virtio.Loop.RunPosted();
        Assert.Equal([(0, 513u), (0, 513u), (0, 513u)], Queue.TakeUsed());
    }

    // The guest offers heads again and again without waiting for their end: what is in flight stays bounded, and nothing is lost.
    [Fact]
    public void InFlight_IsBounded_WhenTheGuestOffersMoreThanItsQueueHolds()
    {
        _bench.Offer(TypeIn, 0, GuestBuffer.ToDriver(Data, 512));
        for (int burst = 0; burst < 2; burst++)
        {
            for (int i = 0; i < 200; i++)
                Queue.Offer(0);
            Driver.Notify(0);
            _bench.Virtio.Loop.RunPosted();
        }

        Assert.Equal(256, _node.InFlight);
        int ended = 0;
        while (_node.InFlight > 0)
        {
            _node.Release();
            ended++;
            _bench.Virtio.Loop.RunPosted();
        }

        Assert.Equal(401, ended);
        Assert.Equal(GuestDriver.StatusRunning, Driver.Status);
    }

    [Fact]
    public void HostError_IsTheRequestsError()
    {
        int slot = _bench.Offer(TypeOut, 0, GuestBuffer.ToDevice(Data, 512));
        Driver.Notify(0);
        _node.Release(Errno.EIO);
        _bench.Virtio.Loop.RunPosted();
        Assert.Equal(StatusIoError, _bench.StatusOf(slot));
        Assert.Equal(1, _bench.Device.HostErrors.Count);
        Assert.Contains(_bench.Virtio.Lines, static line => line.StartsWith("vda: host error", StringComparison.Ordinal));
        Assert.Equal(GuestDriver.StatusRunning, Driver.Status);
    }
}
