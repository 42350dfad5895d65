namespace Kvm.Colo.Stream.Tests;

internal sealed class SampleOwner(string name, uint instanceId, SampleState current) : IStateOwner
{
    public string Name => name;

    public uint InstanceId => instanceId;

    public uint Version { get; init; } = 2;

    public DeviceState Current => current;

    public SampleState StagedState { get; } = new();

    public DeviceState Staged => StagedState;

    public int Applied { get; private set; }

    public string? ApplyFailure { get; set; }

    public void Capture()
    {
    }

    public string? Apply()
    {
        Applied++;
        return ApplyFailure;
    }
}
