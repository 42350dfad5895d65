namespace Kvm.Colo.Machine;

/// <summary>
/// The run state and its legal edges, those that follow from <see cref="RunStateTable"/>. An illegal move is refused and says so;
/// nothing aborts. Moves belong to the control loop, the current state may be read from any thread.
/// </summary>
internal sealed class RunStateMachine(RunState initial)
{
    private int _state = (int)initial;

    public RunState State => (RunState)Volatile.Read(ref _state);

    /// <summary>Whether the guest executes or would execute again by itself (running, suspended).</summary>
    public bool IsLive => State is RunState.Running or RunState.Suspended;

    /// <summary>Moves to <paramref name="to"/>; staying where it is counts as a move. False when there is no such edge.</summary>
    public bool TryMove(RunState to)
    {
        RunState from = State;
        if (from != to && !IsLegal(from, to))
            return false;
        Volatile.Write(ref _state, (int)to);
        return true;
    }

    /// <summary>Moves, or says why not.</summary>
    /// <exception cref="RunStateException">There is no such edge; the state is unchanged.</exception>
    public void Move(RunState to)
    {
        RunState from = State;
        if (!TryMove(to))
            throw new RunStateException(from, to);
    }

    /// <summary>Whether some row of <see cref="RunStateTable"/> leads from one state to the other.</summary>
    public static bool IsLegal(RunState from, RunState to) => RunStateTable.HasEdge(from, to);
}
