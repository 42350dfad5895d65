using System.Buffers.Binary;
using Kvm.Colo.Block;
using Kvm.Colo.Devices.Tests.Virtio.Support;
using Kvm.Colo.Devices.Virtio.Blk;
using static Kvm.Colo.Devices.Virtio.Blk.VirtioBlkProtocol;

namespace Kvm.Colo.Devices.Tests.Virtio.Blk;

/// <summary>
/// A disk with its driver: requests as a guest makes them, over a real image file or over a node of the test's.
/// </summary>
internal sealed class BlkBench : IDisposable
{
    public const int ImageBytes = 4 << 20;
    public const ulong Headers = VirtioBench<VirtioBlk>.Buffers;
    public const ulong Statuses = Headers + 0x1_0000;
    public const ulong Data = Headers + 0x2_0000;
    private readonly string? _path;
    private int _next;

    public BlkBench(bool isReadOnly = false)
    {
        _path = Path.Combine(Path.GetTempPath(), $"colo-{Guid.NewGuid():n}.img");
        File.WriteAllBytes(_path, new byte[ImageBytes]);
        Node = RawDisk.Open(_path, isReadOnly, "vda");
        var config = new VirtioBlkConfig("vda", 0, "colo-serial-0123456789");
        Virtio = new VirtioBench<VirtioBlk>(host => new VirtioBlk(host, config, Node));
    }

    public BlkBench(IBlockNode node)
    {
        Node = node;
        Virtio = new VirtioBench<VirtioBlk>(host => new VirtioBlk(host, new VirtioBlkConfig("vda", 0, "s"), Node));
    }

    public VirtioBench<VirtioBlk> Virtio { get; }

    public IBlockNode Node { get; }

    public VirtioBlk Device => Virtio.Device;

    public GuestDriver Driver => Virtio.Driver;

    public GuestQueue Queue => Virtio.Driver.Queues[0];

    public byte[] Image => File.ReadAllBytes(_path!);

    /// <summary>Offers one request, in its own header and status slot, and returns the slot.</summary>
    public int Offer(uint type, ulong sector, params GuestBuffer[] data)
    {
        int slot = _next++ % 1024;
        WriteHeader(slot, type, sector);
        bool dataIsWritable = data.Length > 0 && data[0].IsWritable;
        Virtio.Write(Statuses + (ulong)slot, [0xFF]);
        GuestBuffer header = GuestBuffer.ToDevice(Headers + 16ul * (ulong)slot, HeaderBytes);
        GuestBuffer status = GuestBuffer.ToDriver(Statuses + (ulong)slot, 1);
        Queue.Add([header, .. data, status]);
        Assert.True(data.Length == 0 || data.All(buffer => buffer.IsWritable == dataIsWritable));
        return slot;
    }

    public void WriteHeader(int slot, uint type, ulong sector)
    {
        byte[] header = new byte[HeaderBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(header, type);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), sector);
        Virtio.Write(Headers + 16ul * (ulong)slot, header);
    }

    public byte StatusOf(int slot) => Virtio.Read(Statuses + (ulong)slot, 1)[0];

    /// <summary>Notifies and lets everything end.</summary>
    public void Complete()
    {
        Driver.Notify(0);
        do
            Assert.True(Node.Drain(TimeSpan.FromSeconds(20)));
        while (Virtio.Loop.RunPosted() > 0);
    }

    public byte Run(uint type, ulong sector, params GuestBuffer[] data)
    {
        int slot = Offer(type, sector, data);
        Complete();
        Assert.Single(Queue.TakeUsed());
        return StatusOf(slot);
    }

    public void Dispose()
    {
        Node.Dispose();
        Virtio.Dispose();
        if (_path is not null)
            File.Delete(_path);
    }
}
