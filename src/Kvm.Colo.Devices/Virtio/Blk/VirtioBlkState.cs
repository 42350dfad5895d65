using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Virtio.Blk;

/// <summary>A disk in the stream. Requests in flight have ended before, so only the size is left to compare.</summary>
internal sealed class VirtioBlkState(ulong offeredFeatures, ReadOnlySpan<ushort> queueSizes, ulong expectedCapacityBytes)
    : VirtioDeviceState(offeredFeatures, queueSizes)
{
    public ulong CapacityBytes;

    protected override void VisitDevice(StateVisitor v) => v.U64("capacity", ref CapacityBytes);

    protected override string? ValidateDevice() =>
        CapacityBytes == expectedCapacityBytes
            ? null
            : $"the disk has {CapacityBytes} bytes there and {expectedCapacityBytes} here";
}
