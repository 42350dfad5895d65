namespace Kvm.Colo.Devices.Virtio;

/// <content>
/// The status machine (virtio 1.2, sections 2.1 and 3.1): four steps forward, reset, FAILED; anything else changes nothing.
/// </content>
internal abstract partial class VirtioDevice
{
    private const VirtioStatus Acknowledged = VirtioStatus.Acknowledge;
    private const VirtioStatus Driven = Acknowledged | VirtioStatus.Driver;
    private const VirtioStatus Negotiated = Driven | VirtioStatus.FeaturesOk;
    private const VirtioStatus Running = Negotiated | VirtioStatus.DriverOk;

    /// <summary>Whether the driver may set up queues now.</summary>
    public bool AcceptsQueueSetup => (Status & ~VirtioStatus.NeedsReset) == Negotiated;

    public void WriteStatus(uint value)
    {
        if (value == 0)
        {
            Reset();
            return;
        }

        var wanted = (VirtioStatus)(value & 0xFF & ~(uint)VirtioStatus.NeedsReset);
        VirtioStatus current = Status & ~VirtioStatus.NeedsReset;
        if (wanted == current)
            return;
        if ((wanted & VirtioStatus.Failed) != 0)
            Status |= VirtioStatus.Failed;
        else if (!TryStep(current, wanted))
            Faults.Report("illegal step of the status register", value);
    }

    /// <summary>One half of the driver's features; ignored unless DRIVER is set and FEATURES_OK is not.</summary>
    public void WriteDriverFeatures(uint select, uint value)
    {
        if ((Status & ~VirtioStatus.NeedsReset) != Driven)
        {
            Faults.Report("features written at the wrong time", value);
            return;
        }

        DriverFeatures = select switch
        {
            0 => (DriverFeatures & 0xFFFF_FFFF_0000_0000) | value,
            1 => (DriverFeatures & 0xFFFF_FFFF) | ((ulong)value << 32),
            _ => DriverFeatures,
        };
    }

    /// <summary>Power-on state, as a machine reset leaves it.</summary>
    public void Reset()
    {
        lock (Gate)
        {
            if (!TryOnReset())
            {
                Fail("requests are still with the host, the reset did not happen");
                return;
            }

            foreach (Virtqueue queue in _queues)
                queue.Reset();
            _kicks = 0;
            Status = VirtioStatus.None;
            DriverFeatures = 0;
            _transport?.OnDeviceReset();
        }
    }

    private bool TryStep(VirtioStatus current, VirtioStatus wanted)
    {
        switch (current, wanted)
        {
            // Firmware takes the first two steps in one write.
            case (VirtioStatus.None, Acknowledged or Driven) or (Acknowledged, Driven):
                break;
            case (Driven, Negotiated):
                if ((DriverFeatures & ~OfferedFeatures) != 0 || (DriverFeatures & VirtioFeature.Version1) == 0)
                {
                    Faults.Report("features the device cannot work with", DriverFeatures);
                    return true;
                }

                break;
            case (Negotiated, Running) when (Status & VirtioStatus.NeedsReset) == 0:
                Status = Running;
                Activate();
                return true;
            default:
                return false;
        }

        Status = (Status & VirtioStatus.NeedsReset) | wanted;
        return true;
    }

    private void Activate()
    {
        if (!TryStartQueues())
        {
            Fail("a queue does not lie in RAM");
            return;
        }

        OnActivate();
        KickAll();
    }

    private bool TryStartQueues()
    {
        foreach (Virtqueue queue in _queues)
        {
            if (queue.IsReady && !queue.TryStart(DriverFeatures))
                return false;
        }

        return true;
    }
}
