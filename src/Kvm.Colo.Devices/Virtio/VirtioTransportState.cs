using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Virtio;

/// <summary>The registers of the transport in the stream; those of MMIO, which is the one there is.</summary>
internal sealed class VirtioTransportState
{
    public uint DeviceFeaturesSelect;
    public uint DriverFeaturesSelect;
    public uint QueueSelect;
    public uint InterruptStatus;

    public void Visit(StateVisitor v)
    {
        v.U32("device_features_sel", ref DeviceFeaturesSelect);
        v.U32("driver_features_sel", ref DriverFeaturesSelect);
        v.U32("queue_sel", ref QueueSelect);
        v.U32("interrupt_status", ref InterruptStatus);
    }

    public string? Validate() => (InterruptStatus & ~3u) == 0 ? null : $"interrupt status 0x{InterruptStatus:x}";
}
