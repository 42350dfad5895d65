using Kvm.Colo.Kvm;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Machine.State;

/// <summary>The VM-wide KVM state in the stream; first of all owners, because the chips must be loaded before the local APICs.</summary>
internal sealed class ChipsStateOwner : IStateOwner
{
    private readonly KvmVm _vm;
    private readonly VmSnapshot _current = new();
    private readonly VmSnapshot _staged = new();

    public ChipsStateOwner(KvmVm vm)
    {
        _vm = vm;
        Current = new ChipsState(_current);
        Staged = new ChipsState(_staged);
    }

    public string Name => "kvm-chips";

    public uint InstanceId => 0;

    public uint Version => 1;

    public DeviceState Current { get; }

    public DeviceState Staged { get; }

    /// <summary>The guest's clock in the state that arrived last, in nanoseconds.</summary>
    public ulong ArrivedClock => _staged.Clock.clock;

    public void Capture() => _vm.Save(_current);

    public string? Apply()
    {
        try
        {
            _vm.Load(_staged);
            return null;
        }
        catch (KvmException e)
        {
            return e.Message;
        }
    }
}
