using Kvm.Colo.Native;

namespace Kvm.Colo.Devices.Virtio.Mmio;

/// <summary>
/// Turns a guest's write to QueueNotify into a signal on an eventfd inside the kernel (KVM_IOEVENTFD, 4 bytes at
/// <see cref="VirtioMmioTransport.NotifyOffset"/> of the window, datamatch the queue's number).
/// </summary>
internal interface IQueueNotifier
{
    /// <summary>False when the host cannot; the queue is then notified through the register.</summary>
    bool TryAttach(uint queue, SafeDescriptor eventDescriptor);

    void Detach(uint queue, SafeDescriptor eventDescriptor);
}
