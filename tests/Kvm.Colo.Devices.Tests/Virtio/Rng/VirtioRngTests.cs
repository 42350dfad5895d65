using Kvm.Colo.Devices.Tests.Virtio.Support;
using Kvm.Colo.Devices.Virtio.Rng;

namespace Kvm.Colo.Devices.Tests.Virtio.Rng;

public sealed class VirtioRngTests : IDisposable
{
    private const ulong Buffers = VirtioBench<VirtioRng>.Buffers;
    private readonly VirtioBench<VirtioRng> _bench = new(static host => new VirtioRng(host, "rng0"));

    private GuestDriver Driver => _bench.Driver;

    private GuestQueue Queue => _bench.Driver.Queues[0];

    public void Dispose() => _bench.Dispose();

    // Class 10: overlapping buffers that add up to gigabytes cost 64 KiB.
    [Fact]
    public void Request_IsCutAt64KiB()
    {
        Driver.Start(0);
        var huge = GuestBuffer.ToDriver(Buffers, 4 << 20);
        Queue.Add(huge, huge, huge, huge, huge, huge, huge, huge);
        Driver.Notify(0);
        Assert.Equal([(0, (uint)VirtioRng.MaxRequestBytes)], Queue.TakeUsed());
        Assert.Contains(_bench.Read(Buffers + VirtioRng.MaxRequestBytes - 64, 64), static value => value != 0);
        Assert.All(_bench.Read(Buffers + VirtioRng.MaxRequestBytes, 4096), static value => Assert.Equal(0, value));
    }

    [Fact]
    public void Request_WithoutRoom_ComesBackEmpty()
    {
        Driver.Start(0);
        Queue.Add(GuestBuffer.ToDevice(Buffers, 64));
        Driver.Notify(0);
        Assert.Equal([(0, 0u)], Queue.TakeUsed());
    }

    // Class 20: a long queue is served in turns, the rest after others had theirs.
    [Fact]
    public void Turn_IsBounded_AndTheRestFollows()
    {
        Driver.Start(0);
        _bench.Loop.RunPosted();
        for (int i = 0; i < 10; i++)
            Queue.Add(GuestBuffer.ToDriver(Buffers, 1 << 20));
        Driver.Notify(0);
        Assert.Equal(4, Queue.UsedIndex);
        _bench.Loop.RunPosted();
        Assert.Equal(10, Queue.TakeUsed().Count);
    }

    [Fact]
    public void Quiesced_NothingHappens_UntilResume()
    {
        Driver.Start(0);
        _bench.Loop.RunPosted();
        Assert.True(_bench.Device.TryQuiesce(TimeSpan.FromSeconds(1)));
        Assert.True(_bench.Device.TryQuiesce(TimeSpan.FromSeconds(1)));
        Queue.Add(GuestBuffer.ToDriver(Buffers, 8));
        Driver.Notify(0);
        Assert.Empty(Queue.TakeUsed());
        _bench.Device.Resume();
        _bench.Loop.RunPosted();
        Assert.Single(Queue.TakeUsed());
        Assert.True(_bench.Line.Level);
    }

    [Fact]
    public void Steadily_NothingIsAllocated()
    {
        Driver.Start(0);
        var buffer = GuestBuffer.ToDriver(Buffers, 4096);
        for (int round = 0; round < 100; round++)
            Serve(buffer);

        // The runtime may allocate once more on this thread when it replaces a method by its optimized form; what is steady comes again.
        long allocated = long.MaxValue;
        for (int batch = 0; batch < 5 && allocated != 0; batch++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int round = 0; round < 1000; round++)
                Serve(buffer);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, allocated);
    }

    private void Serve(GuestBuffer buffer)
    {
        Queue.Add(buffer);
        Driver.Notify(0);
        if (!Queue.TryTakeUsed(out _, out _))
            throw new InvalidOperationException("request not served");
        Driver.TakeInterrupt();
    }
}
