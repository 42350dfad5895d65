using Kvm.Colo.Kvm;
using Kvm.Colo.Machine.Vcpus;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Machine.State;

/// <summary>A vCPU in the stream. Its thread saves it, beside the capture of RAM.</summary>
internal sealed class VcpuStateOwner(VcpuThread thread) : IStateOwner
{
    public string Name => "cpu";

    public uint InstanceId => (uint)thread.Vcpu.Index;

    public uint Version => 1;

    public DeviceState Current { get; } = new VcpuState(thread.Current);

    public DeviceState Staged { get; } = new VcpuState(thread.Staged);

    public void Capture()
    {
        // Done by the vCPU's own thread after all devices and chips: VcpuGroup.BeginSave.
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
