using Kvm.Colo.Devices.Tests.Virtio.Support;
using Kvm.Colo.Devices.Virtio;
using Kvm.Colo.Memory;
using static Kvm.Colo.Devices.Virtio.Blk.VirtioBlkProtocol;

namespace Kvm.Colo.Devices.Tests.Virtio.Blk;

public sealed class VirtioBlkStateTests
{
    private const ulong Data = BlkBench.Data;
    private const ulong Features = FeatureFlush | VirtioFeature.RingEventIndex | VirtioFeature.RingIndirect;
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    // Save in the middle of I/O, load on another host and again over the running device, and the bytes are the same each time.
    [Fact]
    public void SaveLoadSave_IsByteEqual_InTheMiddleOfRequests()
    {
        using var source = new BlkBench(new HeldNode(1 << 20));
        using var target = new BlkBench(new HeldNode(1 << 20));
        source.Driver.Start(Features, 64);
        for (int i = 0; i < 10; i++)
            source.Offer(TypeIn, 0, GuestBuffer.ToDriver(Data, 512));
        source.Driver.Notify(0);
        while (source.Node.InFlight > 0)
            ((HeldNode)source.Node).Release();
        Assert.True(source.Device.TryQuiesce(s_deadline));
        source.Offer(TypeIn, 0, GuestBuffer.ToDriver(Data, 512));
        byte[] saved = SavedState.Save(source.Device);

        for (int round = 0; round < 2; round++)
        {
            Assert.True(target.Device.TryQuiesce(s_deadline));
            CopyMemory(source.Virtio.Memory, target.Virtio.Memory);
            Assert.Null(SavedState.Load(target.Device, saved));
            Assert.Equal(saved, SavedState.Save(target.Device));
            Assert.True(target.Virtio.Line.Level);
            target.Device.Resume();
            target.Virtio.Loop.RunPosted();

            // What was offered and not yet taken is found without a notification.
            Assert.Equal(1, target.Node.InFlight);
            ((HeldNode)target.Node).Release();
            target.Virtio.Loop.RunPosted();
            Assert.Equal(11, UsedIndex(target));
        }
    }

    [Fact]
    public void Load_Refuses_WhatThisDeviceCannotBe()
    {
        using var source = new BlkBench(new HeldNode(1 << 20));
        using var other = new BlkBench(new HeldNode(2 << 20));
        source.Driver.Start(Features);
        Assert.True(source.Device.TryQuiesce(s_deadline));
        Assert.True(other.Device.TryQuiesce(s_deadline));
        byte[] saved = SavedState.Save(source.Device);
        Assert.Contains("1048576", SavedState.Load(other.Device, saved), StringComparison.Ordinal);
    }

    // Class 23: the section comes from a peer. Whatever one byte of it becomes, the answer is a refusal or a device that works
    // on.
    [Fact]
    public void Load_SurvivesEveryFlippedByte()
    {
        using var source = new BlkBench(new HeldNode(1 << 20));
        source.Driver.Start(Features);
        Assert.True(source.Device.TryQuiesce(s_deadline));
        byte[] saved = SavedState.Save(source.Device);
        using var target = new BlkBench(new HeldNode(1 << 20));
        for (int at = 0; at < saved.Length; at++)
        {
            foreach (byte flip in (byte[])[0x01, 0x80, 0xFF])
            {
                byte[] bad = [.. saved];
                bad[at] ^= flip;
                Assert.True(target.Device.TryQuiesce(s_deadline));
                SavedState.Load(target.Device, bad);
                target.Device.Resume();
                target.Virtio.Loop.RunPosted();
                while (target.Node.InFlight > 0)
                    ((HeldNode)target.Node).Release();
            }
        }

        Assert.True(target.Device.TryQuiesce(s_deadline));
        Assert.Null(SavedState.Load(target.Device, saved));
    }

    // A checkpoint of every device happens many times a second.
    [Fact]
    public void Checkpoint_AllocatesNothing()
    {
        using var bench = new BlkBench(new HeldNode(1 << 20));
        bench.Driver.Start(Features);

        // The steady state is the best of several windows: the runtime may replace code, and allocate for it, in any of them.
        long least = long.MaxValue;
        for (int window = 0; window < 10 && least > 0; window++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int round = 0; round < 100; round++)
                Checkpoint(bench);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    private static void Checkpoint(BlkBench bench)
    {
        if (!bench.Device.TryQuiesce(s_deadline))
            throw new InvalidOperationException("not quiesced");
        bench.Device.Capture();
        bench.Device.Resume();
        bench.Virtio.Loop.RunPosted();
    }

    [Fact]
    public void Capture_DemandsAQuiescedDevice()
    {
        using var bench = new BlkBench(new HeldNode(1 << 20));
        Assert.Throws<InvalidOperationException>(bench.Device.Capture);
    }

    private static int UsedIndex(BlkBench bench)
    {
        Assert.True(bench.Virtio.Memory.TryRead(new GuestPhysicalAddress(bench.Device.Queues[0].UsedRing + 2), out ushort index));
        return index;
    }

    private static void CopyMemory(GuestMemory from, GuestMemory to)
    {
        byte[] all = new byte[(int)from.SizeBytes];
        Assert.True(from.TryRead(new GuestPhysicalAddress(0), all));
        Assert.True(to.TryWrite(new GuestPhysicalAddress(0), all));
    }
}
