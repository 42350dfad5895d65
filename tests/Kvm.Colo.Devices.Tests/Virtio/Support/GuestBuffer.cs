namespace Kvm.Colo.Devices.Tests.Virtio.Support;

/// <summary>One buffer a driver offers.</summary>
internal readonly record struct GuestBuffer(ulong Address, uint Length, bool IsWritable)
{
    /// <summary>A buffer the device writes.</summary>
    public static GuestBuffer ToDriver(ulong address, uint length) => new(address, length, IsWritable: true);

    /// <summary>A buffer the device reads.</summary>
    public static GuestBuffer ToDevice(ulong address, uint length) => new(address, length, IsWritable: false);
}
