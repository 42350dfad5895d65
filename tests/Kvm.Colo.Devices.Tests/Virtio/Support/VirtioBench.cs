using Kvm.Colo.Devices.Virtio;
using Kvm.Colo.Devices.Virtio.Mmio;
using Kvm.Colo.Memory;

namespace Kvm.Colo.Devices.Tests.Virtio.Support;

/// <summary>Guest memory, one device on its transport, and a driver, put together as the machine does it.</summary>
internal sealed class VirtioBench<TDevice> : IDisposable
    where TDevice : VirtioDevice
{
    public const ulong RamBytes = 8ul << 20;

    /// <summary>Where tests put buffers: above the rings.</summary>
    public const ulong Buffers = 0x20_0000;

    public VirtioBench(Func<VirtioHost, TDevice> create)
    {
        Memory = GuestMemory.Create(RamBytes);
        Host = new VirtioHost(Memory, Loop, TimeProvider.System, Lines.Add);
        Device = create(Host);
        Transport = new VirtioMmioTransport(Device, Line);
        Driver = new GuestDriver(Memory, Transport);
    }

    public TestLoop Loop { get; } = new();

    public RecordingLine Line { get; } = new();

    public List<string> Lines { get; } = [];

    public GuestMemory Memory { get; }

    public VirtioHost Host { get; }

    public TDevice Device { get; }

    public VirtioMmioTransport Transport { get; }

    public GuestDriver Driver { get; }

    public byte[] Read(ulong address, int length)
    {
        byte[] content = new byte[length];
        Assert.True(Memory.TryRead(new GuestPhysicalAddress(address), content));
        return content;
    }

    public void Write(ulong address, ReadOnlySpan<byte> content) =>
        Assert.True(Memory.TryWrite(new GuestPhysicalAddress(address), content));

    public void Dispose()
    {
        Transport.Dispose();
        Device.Dispose();
        Memory.Dispose();
    }
}
