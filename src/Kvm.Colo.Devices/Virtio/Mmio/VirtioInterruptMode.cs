namespace Kvm.Colo.Devices.Virtio.Mmio;

/// <summary>How the interrupt line is described to the guest.</summary>
internal enum VirtioInterruptMode
{
    /// <summary>High while InterruptStatus is not zero.</summary>
    Level,

    /// <summary>A pulse for every interrupt.</summary>
    Edge,
}
