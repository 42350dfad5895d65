using Kvm.Colo.Kvm;

namespace Kvm.Colo.Machine;

/// <summary>The power-on state of vCPUs and chips, taken once before anything ran, so that a reset is a load like any other.</summary>
internal sealed class MachineResetState
{
    private readonly KvmVm _vm;
    private readonly IReadOnlyList<KvmVcpu> _vcpus;
    private readonly VmSnapshot _chips = new();
    private readonly VcpuSnapshot[] _registers;

    /// <summary>Takes the state; the vCPUs are parked and have never run.</summary>
    public MachineResetState(KvmVm vm, IReadOnlyList<KvmVcpu> vcpus)
    {
        _vm = vm;
        _vcpus = vcpus;
        vm.Save(_chips);
        _registers = new VcpuSnapshot[vcpus.Count];
        for (int i = 0; i < vcpus.Count; i++)
        {
            _registers[i] = vcpus[i].CreateSnapshot();
            vcpus[i].Save(_registers[i]);
        }
    }

    /// <summary>Puts it back; the vCPUs are parked. The clock goes on: a reset does not turn back time.</summary>
    public void Load()
    {
        _chips.Clock.clock = _vm.GetClock();
        _vm.Load(_chips);
        for (int i = 0; i < _registers.Length; i++)
            _vcpus[i].Load(_registers[i]);
    }
}
