namespace Kvm.Colo.Devices.Virtio;

/// <summary>What a device needs from whatever connects it to the guest; called under the device's lock.</summary>
internal interface IVirtioTransport
{
    /// <summary>
    /// Used buffers were published and the driver wants to know. In the interrupt controller when this returns.
    /// </summary>
    void InterruptQueue();

    /// <summary>The configuration changed, or the device needs a reset.</summary>
    void InterruptConfiguration();

    /// <summary>The driver reset the device: no interrupt stays pending, selectors go back to zero.</summary>
    void OnDeviceReset();

    void Capture(VirtioTransportState state);

    void Apply(VirtioTransportState state);
}
