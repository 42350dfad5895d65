using Kvm.Colo.Kvm;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Machine.State;

/// <summary>
/// The CPU model in the stream: a guest goes on seeing the CPU it was booted on, with a time stamp counter of the same rate, and a host
/// that cannot show it refuses the guest.
/// Loaded before the vCPUs, whose registers depend on it.
/// </summary>
internal sealed class CpuidOwner : IStateOwner
{
    private readonly KvmVcpu[] _vcpus;
    private readonly TscRate _rate;
    private readonly CpuidState _current;
    private readonly CpuidState _staged;

    /// <summary>Gives every vCPU its leaves of <paramref name="model"/>.</summary>
    public CpuidOwner(KvmVcpu[] vcpus, CpuidTable supported, CpuidTable model, TscRate rate)
    {
        _vcpus = vcpus;
        _rate = rate;
        CpuidTable offered = supported.ForVcpu(0, vcpus.Length);
        _current = new CpuidState(offered, rate) { TscKhz = rate.Khz };
        _staged = new CpuidState(offered, rate);
        CpuidTable first = model.ForVcpu(0, vcpus.Length);
        _current.Set(first);
        Give(first);
    }

    public string Name => "colo-vm/cpuid";

    public uint InstanceId => 0;

    public uint Version => 2;

    public DeviceState Current => _current;

    public DeviceState Staged => _staged;

    public void Capture()
    {
        // It does not change while a guest runs.
    }

    public string? Apply()
    {
        if (_staged.HasLeavesOf(_current))
            return ApplyTscRate();
        CpuidTable arrived = _staged.Read();
        try
        {
            Give(arrived);
        }
        catch (KvmException e)
        {
            return $"the vCPUs do not take the guest's CPU features, they may have run another guest before ({e.Message})";
        }

        _current.Set(arrived);
        return ApplyTscRate();
    }

    private string? ApplyTscRate()
    {
        if (_staged.TscKhz == _current.TscKhz || _staged.TscKhz == 0)
            return null;
        try
        {
            // A rate that needs no scaling is set only to end that of the one before: KVM takes another estimate of its own rate for scaling.
            if (_rate.Scales(_staged.TscKhz) || _rate.Scales(_current.TscKhz))
            {
                foreach (KvmVcpu vcpu in _vcpus)
                    vcpu.SetTscKhz(_staged.TscKhz);
            }
        }
        catch (KvmException e)
        {
            return $"the vCPUs do not take the guest's {_staged.TscKhz} kHz of time stamp counter ({e.Message})";
        }

        _current.TscKhz = _staged.TscKhz;
        return null;
    }

    private void Give(CpuidTable table)
    {
        foreach (KvmVcpu vcpu in _vcpus)
            vcpu.SetCpuid(table.ForVcpu(vcpu.Index, _vcpus.Length));
    }
}
