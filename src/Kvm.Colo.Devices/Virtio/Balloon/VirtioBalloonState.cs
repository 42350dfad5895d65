using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Virtio.Balloon;

/// <summary>A balloon in the stream.</summary>
internal sealed class VirtioBalloonState(ulong offeredFeatures, ReadOnlySpan<ushort> queueSizes)
    : VirtioDeviceState(offeredFeatures, queueSizes)
{
    /// <summary>Pages the host asks for.</summary>
    public uint TargetPages;

    /// <summary>Pages the driver says it has given.</summary>
    public uint ActualPages;

    protected override void VisitDevice(StateVisitor v)
    {
        v.U32("num_pages", ref TargetPages);
        v.U32("actual", ref ActualPages);
    }
}
