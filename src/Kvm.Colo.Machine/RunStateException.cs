namespace Kvm.Colo.Machine;

/// <summary>A run state change that does not exist; the state stayed as it was.</summary>
internal sealed class RunStateException(RunState from, RunState to) : Exception($"cannot change the run state from {from} to {to}")
{
    public RunState From { get; } = from;

    public RunState To { get; } = to;
}
