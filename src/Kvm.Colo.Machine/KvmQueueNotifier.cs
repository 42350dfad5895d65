using Kvm.Colo.Devices.Virtio.Mmio;
using Kvm.Colo.Kvm;
using Kvm.Colo.Memory;
using Kvm.Colo.Native;

namespace Kvm.Colo.Machine;

/// <summary>The notification register of one virtio window, answered inside the kernel.</summary>
internal sealed class KvmQueueNotifier(KvmVm vm, ulong window) : IQueueNotifier
{
    private readonly GuestPhysicalAddress _register = new(window + VirtioMmioTransport.NotifyOffset);

    public bool TryAttach(uint queue, SafeDescriptor eventDescriptor)
    {
        try
        {
            vm.AssignIoEvent(_register, sizeof(uint), queue, eventDescriptor, assign: true);
            return true;
        }
        catch (KvmException)
        {
            return false;
        }
    }

    public void Detach(uint queue, SafeDescriptor eventDescriptor) =>
        vm.AssignIoEvent(_register, sizeof(uint), queue, eventDescriptor, assign: false);
}
