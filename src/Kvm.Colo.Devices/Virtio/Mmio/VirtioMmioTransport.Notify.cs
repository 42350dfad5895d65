using Kvm.Colo.Native;
using Kvm.Colo.Native.Io;

namespace Kvm.Colo.Devices.Virtio.Mmio;

/// <content>
/// Notifications: a queue with an eventfd is served on the I/O thread, any other on the vCPU thread, never on both. A write that
/// KVM did not turn into a signal all the same (its emulator may do that) is turned into one here.
/// </content>
internal sealed partial class VirtioMmioTransport
{
    private Notification?[] _notifications = [];
    private IQueueNotifier? _notifier;

    /// <summary>Asks the host to deliver notifications through eventfds to the I/O thread. Once, before the guest runs.</summary>
    public void AttachNotifier(IQueueNotifier notifier, IIoLoop loop)
    {
        _notifier = notifier;
        var notifications = new Notification?[_device.Queues.Count];
        for (uint queue = 0; queue < notifications.Length; queue++)
            notifications[queue] = Notification.TryCreate(_device, queue, notifier, loop);
        _notifications = notifications;
    }

    public void Dispose()
    {
        Notification?[] notifications = _notifications;
        _notifications = [];
        for (uint queue = 0; queue < notifications.Length; queue++)
            notifications[queue]?.Close(_notifier!, queue);
    }

    private void NotifyQueue(uint queue)
    {
        Notification?[] notifications = _notifications;
        if (queue < notifications.Length && notifications[queue] is { } notification)
            notification.Signal();
        else
            _device.Notify(queue);
    }

    private sealed class Notification(VirtioDevice device, uint queue, SafeDescriptor eventDescriptor)
    {
        private IIoRegistration? _registration;

        public static Notification? TryCreate(VirtioDevice device, uint queue, IQueueNotifier notifier, IIoLoop loop)
        {
            var eventDescriptor = SafeDescriptor.From("eventfd", Shim.EventFd(0));
            if (!notifier.TryAttach(queue, eventDescriptor))
            {
                eventDescriptor.Dispose();
                return null;
            }

            var notification = new Notification(device, queue, eventDescriptor);
            notification._registration = loop.Register(eventDescriptor, IoEvents.Readable, notification.OnSignalled);
            return notification;
        }

        public void Signal() => NativeFile.Signal(eventDescriptor);

        public void Close(IQueueNotifier notifier, uint number)
        {
            notifier.Detach(number, eventDescriptor);
            _registration?.Dispose();
            eventDescriptor.Dispose();
        }

        private void OnSignalled(IoEvents events)
        {
            if (NativeFile.Consume(eventDescriptor))
                device.Notify(queue);
        }
    }
}
