using Kvm.Colo.Devices.Tests.Virtio.Support;
using Kvm.Colo.Devices.Virtio;
using Kvm.Colo.Devices.Virtio.Rng;

namespace Kvm.Colo.Devices.Tests.Virtio;

/// <summary>
/// The queue through the simplest device there is: every request asks for bytes, so what came back shows what was understood.
/// </summary>
public sealed class VirtqueueTests : IDisposable
{
    private const ulong Buffers = VirtioBench<VirtioRng>.Buffers;
    private const ulong Table = 0x30_0000;
    private readonly VirtioBench<VirtioRng> _bench = new(static host => new VirtioRng(host, "rng0"));

    private GuestDriver Driver => _bench.Driver;

    private GuestQueue Queue => _bench.Driver.Queues[0];

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Chain_OfSeveralBuffers_IsFilledWhole()
    {
        Driver.Start(0);
        int head = Queue.Add(
            GuestBuffer.ToDriver(Buffers, 100),
            GuestBuffer.ToDriver(Buffers + 0x1000, 28),
            GuestBuffer.ToDriver(Buffers + 0x2000, 0),
            GuestBuffer.ToDriver(Buffers + 0x3000, 4));
        Driver.Notify(0);
        Assert.Equal([(head, 132u)], Queue.TakeUsed());
        Assert.Contains(_bench.Read(Buffers + 0x1000, 28), static value => value != 0);
        Assert.Equal(1u, Driver.TakeInterrupt());
    }

    [Fact]
    public void Indirect_IsFollowed_AlsoBehindDirectBuffers()
    {
        Driver.Start(VirtioFeature.RingIndirect);
        int head = Queue.AddIndirect(Table, GuestBuffer.ToDriver(Buffers, 10), GuestBuffer.ToDriver(Buffers + 0x1000, 20));
        Driver.Notify(0);
        Assert.Equal([(head, 30u)], Queue.TakeUsed());

        Queue.WriteDescriptor(Queue.Descriptors, 8, Buffers, 5, VirtqDescriptor.FlagWrite | VirtqDescriptor.FlagNext, 9);
        Queue.WriteDescriptor(Queue.Descriptors, 9, Table, 32, VirtqDescriptor.FlagIndirect, 0);
        Queue.Offer(8);
        Driver.Notify(0);
        Assert.Equal([(8, 35u)], Queue.TakeUsed());
        Assert.Equal(0, _bench.Device.Faults.Count);
    }

    public static TheoryData<string> Malformations =>
    [
        "loop", "self", "next-out-of-range", "outside-ram", "past-end", "wraps", "readable-after-writable",
        "indirect-not-negotiated", "indirect-in-indirect", "indirect-and-next", "indirect-odd-length", "indirect-empty",
        "indirect-too-long", "indirect-outside-ram",
        "indirect-loop", "indirect-next-out-of-range",
    ];

    // Classes 1, 3, 7, 8, 9: the head comes back with length 0, the next chain works, nothing outside the rings is written.
    [Theory]
    [MemberData(nameof(Malformations))]
    public void Malformed_ReturnsTheHead_AndGoesOn(string kind)
    {
        Driver.Start(kind == "indirect-not-negotiated" ? 0 : VirtioFeature.RingIndirect);
        Malform(kind);
        Queue.Offer(2);
        int good = Queue.Add(GuestBuffer.ToDriver(Buffers, 16));
        Driver.Notify(0);
        Assert.Equal([(2, 0u), (good, 16u)], Queue.TakeUsed());
        Assert.Equal(1, _bench.Device.Faults.Count);
        Assert.Single(_bench.Lines);
        Assert.Equal(GuestDriver.StatusRunning, Driver.Status);
    }

    [Fact]
    public void Malformed_IsCountedAlways_AndLoggedSeldom()
    {
        Driver.Start(0);
        for (int round = 0; round < 1000; round++)
        {
            Malform("self");
            Queue.Offer(2);
            Driver.Notify(0);
        }

        Assert.Equal(1000, _bench.Device.Faults.Count);
        Assert.Single(_bench.Lines);
        Assert.Equal(1000, Queue.TakeUsed().Count);
    }

    [Theory]
    [InlineData(65)]
    [InlineData(1000)]
    [InlineData(0x8000)]
    [InlineData(0xFFFF)]
    public void IndexJump_FailsTheDevice_UntilReset(int jump)
    {
        Driver.Start(0);
        Queue.SetAvailableIndex((ushort)jump);
        Driver.Notify(0);
        Assert.Equal(15u | 64u, Driver.Status);
        Assert.Equal(2u, Driver.TakeInterrupt());
        Assert.Empty(Queue.TakeUsed());
        Driver.Notify(0);
        Assert.Equal(0u, Driver.TakeInterrupt());
        Driver.Start(0);
        Queue.Add(GuestBuffer.ToDriver(Buffers, 8));
        Driver.Notify(0);
        Assert.Single(Queue.TakeUsed());
    }

    [Theory]
    [InlineData(64)]
    [InlineData(0xFFFF)]
    public void HeadOutOfRange_FailsTheDevice(int head)
    {
        Driver.Start(0);
        Queue.Offer((ushort)head);
        Driver.Notify(0);
        Assert.Equal(15u | 64u, Driver.Status);
        Assert.Single(_bench.Lines);
    }

    [Fact]
    public void Indexes_WrapAtSixteenBits()
    {
        Driver.Start(VirtioFeature.RingEventIndex, 4);
        Queue.SetUsedEvent(0xFFFF);
        for (int round = 0; round < 70_000; round++)
        {
            Queue.Add(GuestBuffer.ToDriver(Buffers, 1));
            Driver.Notify(0);
            Assert.True(Queue.TryTakeUsed(out _, out uint length) && length == 1);
        }

        Assert.Equal(0, _bench.Device.Faults.Count);
    }

    [Fact]
    public void EventIndex_DecidesWhoIsTold()
    {
        Driver.Start(VirtioFeature.RingEventIndex);
        Queue.SetUsedEvent(2);
        for (int round = 0; round < 5; round++)
        {
            Queue.Add(GuestBuffer.ToDriver(Buffers, 1));
            Driver.Notify(0);
            Assert.Equal((ushort)(round + 1), Queue.AvailableEvent);
            Assert.Equal(round == 2 ? 1u : 0u, Driver.TakeInterrupt());
        }
    }

    [Fact]
    public void NoInterruptFlag_IsHonoured_WithoutEventIndex()
    {
        Driver.Start(0);
        Queue.SetAvailableFlags(1);
        Queue.Add(GuestBuffer.ToDriver(Buffers, 1));
        Driver.Notify(0);
        Assert.Equal(0u, Driver.TakeInterrupt());
        Assert.Single(Queue.TakeUsed());
    }

    [Fact]
    public void Activation_LooksAtTheQueues_WithoutANotification()
    {
        Driver.Negotiate(VirtioFeature.Version1);
        GuestQueue queue = Driver.SetUpQueue(0);
        queue.Add(GuestBuffer.ToDriver(Buffers, 8));
        Driver.Status = GuestDriver.StatusRunning;
        _bench.Loop.RunPosted();
        Assert.Single(queue.TakeUsed());
    }

    private void Malform(string kind)
    {
        const ushort write = VirtqDescriptor.FlagWrite;
        const ushort next = VirtqDescriptor.FlagNext;
        const ushort indirect = VirtqDescriptor.FlagIndirect;
        ulong ram = VirtioBench<VirtioRng>.RamBytes;
        (ulong Address, uint Length, ushort Flags, ushort Next) head = kind switch
        {
            "loop" => (Buffers, 4, write | next, 3),
            "self" => (Buffers, 4, write | next, 2),
            "next-out-of-range" => (Buffers, 4, write | next, 64),
            "outside-ram" => (ram, 4, write, 0),
            "past-end" => (ram - 4, 5, write, 0),
            "wraps" => (ulong.MaxValue - 3, 8, write, 0),
            "readable-after-writable" => (Buffers, 4, write | next, 4),
            "indirect-not-negotiated" => (Table, 16, indirect, 0),
            "indirect-and-next" => (Table, 16, indirect | next, 4),
            "indirect-odd-length" => (Table, 17, indirect, 0),
            "indirect-empty" => (Table, 0, indirect, 0),
            "indirect-too-long" => (Table, 16 * 65, indirect, 0),
            "indirect-outside-ram" => (ram - 16, 32, indirect, 0),
            _ => (Table, 32, indirect, 0),
        };
        (ushort Flags, ushort Next) entry = kind switch
        {
            "indirect-in-indirect" => (indirect, 0),
            "indirect-loop" => ((ushort)(write | next), 0),
            "indirect-next-out-of-range" => ((ushort)(write | next), 2),
            _ => (write, 0),
        };
        Queue.WriteDescriptor(Queue.Descriptors, 2, head.Address, head.Length, head.Flags, head.Next);
        Queue.WriteDescriptor(Queue.Descriptors, 3, Buffers, 4, write | next, 2);
        Queue.WriteDescriptor(Queue.Descriptors, 4, Buffers, 4, 0, 0);
        Queue.WriteDescriptor(Table, 0, Buffers, 4, entry.Flags, entry.Next);
        Queue.WriteDescriptor(Table, 1, Buffers, 4, write, 0);
    }
}
