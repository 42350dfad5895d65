using Kvm.Colo.Kvm;
using Kvm.Colo.Machine.Vcpus;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Machine.State;

/// <summary>A vCPU in the stream. Its thread saves itself as it parks, so a capture finds the registers already there.</summary>
internal sealed class VcpuStateOwner(VcpuThread thread) : IStateOwner
{
    public string Name => "cpu";

    public uint InstanceId => (uint)thread.Vcpu.Index;

    public uint Version => 1;

    public DeviceState Current { get; } = new VcpuState(thread.Current);

    public DeviceState Staged { get; } = new VcpuState(thread.Staged);

    public void Capture()
    {
        // Done by the vCPU's own thread: VcpuGroup.Park with save.
    }

    public string? Apply()
    {
        try
        {
            thread.Vcpu.Load(thread.Staged);
            return null;
        }
        catch (KvmException e)
        {
            return e.Message;
        }
    }
}
