using Kvm.Colo.Stream;

namespace Kvm.Colo.Machine.State;

/// <summary>The run state in the stream: set by the machine as it stops for a cut, read by it after an epoch has gone live.</summary>
internal sealed class GlobalStateOwner : IStateOwner
{
    private readonly GlobalState _current = new();
    private readonly GlobalState _staged = new();

    public string Name => "globalstate";

    public uint InstanceId => 0;

    public uint Version => 1;

    public DeviceState Current => _current;

    public DeviceState Staged => _staged;

    /// <summary>The state the cut interrupted.</summary>
    public RunState Interrupted { get; set; }

    /// <summary>The state the last epoch brought: running, or one in which the guest stands still.</summary>
    public RunState Arrived { get; private set; } = RunState.Paused;

    /// <summary>Whether what arrived and is not live yet is a guest in this state.</summary>
    public bool IsArriving(RunState state) => _staged.RunState == state;

    public void Capture() => _current.RunState = Interrupted;

    public string? Apply()
    {
        Arrived = _staged.RunState ?? RunState.Paused;
        return null;
    }
}
