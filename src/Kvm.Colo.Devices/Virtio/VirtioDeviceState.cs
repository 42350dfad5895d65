using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Virtio;

/// <summary>A virtio device in the stream: transport, negotiation, queues, then what the device itself adds.</summary>
internal class VirtioDeviceState : DeviceState
{
    public uint ConfigurationGeneration;
    public byte Status;
    public ulong DriverFeatures;

    private readonly ulong _offeredFeatures;

    public VirtioDeviceState(ulong offeredFeatures, ReadOnlySpan<ushort> queueSizes)
    {
        _offeredFeatures = offeredFeatures;
        Queues = new VirtqueueState[queueSizes.Length];
        for (int i = 0; i < queueSizes.Length; i++)
            Queues[i] = new VirtqueueState(queueSizes[i]);
    }

    public VirtioTransportState Transport { get; } = new();

    public VirtqueueState[] Queues { get; }

    public sealed override void Visit(StateVisitor v)
    {
        Transport.Visit(v);
        v.U32("config_generation", ref ConfigurationGeneration);
        v.U8("status", ref Status);
        v.U64("driver_features", ref DriverFeatures);
        foreach (VirtqueueState queue in Queues)
            queue.Visit(v);
        VisitDevice(v);
    }

    public sealed override string? Validate()
    {
        if ((DriverFeatures & ~_offeredFeatures) != 0)
            return $"features 0x{DriverFeatures & ~_offeredFeatures:x} are not offered here";
        var status = (VirtioStatus)Status & ~(VirtioStatus.NeedsReset | VirtioStatus.Failed);
        if ((int)status is not (0 or 1 or 3 or 11 or 15))
            return $"status 0x{Status:x}";
        if ((status & VirtioStatus.FeaturesOk) != 0 && (DriverFeatures & VirtioFeature.Version1) == 0)
            return "features negotiated without VERSION_1";
        foreach (VirtqueueState queue in Queues)
        {
            if (queue.Validate() is { } why)
                return why;
        }

        return Transport.Validate() ?? ValidateDevice();
    }

    /// <summary>The device's own fields.</summary>
    protected virtual void VisitDevice(StateVisitor v)
    {
    }

    protected virtual string? ValidateDevice() => null;
}
