using Kvm.Colo.Devices;
using Kvm.Colo.Kvm;

namespace Kvm.Colo.Machine;

/// <summary>A pin of the in-kernel interrupt controller, driven by KVM_IRQ_LINE: delivered when the call returns, so no checkpoint misses it.</summary>
internal sealed class KvmInterruptLine(KvmVm vm, uint gsi) : IInterruptLine
{
    public void Set(bool level) => vm.SetInterruptLine(gsi, level);
}
