using Kvm.Colo.Devices.Tests.Virtio.Support;
using Kvm.Colo.Devices.Virtio.Net;
using Kvm.Colo.Net;

namespace Kvm.Colo.Devices.Tests.Virtio.Net;

/// <summary>A card with its driver on a wire in memory.</summary>
internal sealed class NetBench : IDisposable
{
    public const ulong Buffers = VirtioBench<VirtioNet>.Buffers;

    public NetBench()
    {
        Virtio = new VirtioBench<VirtioNet>(host => new VirtioNet(host, new VirtioNetConfig("net0", 0, Mac), Wire));
        Device.Start();
    }

    public static MacAddress Mac { get; } = new(0x5254_0011_2233);

    public ScriptedNet Wire { get; } = new();

    public VirtioBench<VirtioNet> Virtio { get; }

    public VirtioNet Device => Virtio.Device;

    public GuestDriver Driver => Virtio.Driver;

    public GuestQueue Receive => Driver.Queues[0];

    public GuestQueue Transmit => Driver.Queues[1];

    public GuestQueue Control => Driver.Queues[2];

    /// <summary>A frame with a header of zeroes and a content that shows its place.</summary>
    public static byte[] Frame(int bytes)
    {
        byte[] frame = new byte[VnetHeader.SizeBytes + bytes];
        for (int i = VnetHeader.SizeBytes; i < frame.Length; i++)
            frame[i] = (byte)(i * 7);
        return frame;
    }

    public void Start(ulong features)
    {
        Driver.Start(features);
        Virtio.Loop.RunPosted();
    }

    /// <summary>Sends a frame that lies in one buffer; what the wire got is in <see cref="ScriptedNet.Sent"/>.</summary>
    public void Send(byte[] frame)
    {
        Virtio.Write(Buffers, frame);
        Transmit.Add(GuestBuffer.ToDevice(Buffers, (uint)frame.Length));
        Driver.Notify(1);
        Assert.Single(Transmit.TakeUsed());
    }

    public void Dispose() => Virtio.Dispose();
}
