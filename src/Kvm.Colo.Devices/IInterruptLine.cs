namespace Kvm.Colo.Devices;

/// <summary>One input pin of the interrupt controller, driven synchronously (KVM_IRQ_LINE), never through an irqfd.</summary>
internal interface IInterruptLine
{
    /// <summary>Drives the pin; setting the level it already has is harmless. Must not call back into the device.</summary>
    void Set(bool level);
}
