namespace Kvm.Colo.Machine;

/// <summary>
/// The run state and its legal edges, those of QEMU 10.2. An illegal move is refused and says so; nothing aborts. Moves belong to the
/// control loop, the current state may be read from any thread.
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

    public static bool IsLegal(RunState from, RunState to) => from switch
    {
        RunState.Prelaunch => to is RunState.Running or RunState.FinishMigrate or RunState.InMigrate or RunState.Suspended
            or RunState.Paused or RunState.Colo or RunState.Shutdown,
        RunState.InMigrate => to is RunState.Running or RunState.Paused or RunState.PostMigrate or RunState.Prelaunch
            or RunState.FinishMigrate or RunState.InternalError or RunState.IoError or RunState.Shutdown or RunState.Suspended
            or RunState.Watchdog or RunState.GuestPanicked or RunState.Colo,
        RunState.Running => to is RunState.Paused or RunState.Debug or RunState.InternalError or RunState.IoError
            or RunState.FinishMigrate or RunState.RestoreVm or RunState.SaveVm or RunState.Shutdown or RunState.Watchdog
            or RunState.GuestPanicked or RunState.Suspended or RunState.Colo,
        RunState.Paused => to is RunState.Running or RunState.FinishMigrate or RunState.PostMigrate or RunState.Prelaunch
            or RunState.Colo or RunState.Suspended,
        RunState.Suspended => to is RunState.Running or RunState.FinishMigrate or RunState.Prelaunch or RunState.Colo
            or RunState.Paused or RunState.SaveVm or RunState.RestoreVm or RunState.Shutdown,
        RunState.Debug => to is RunState.Running or RunState.FinishMigrate or RunState.Prelaunch or RunState.Suspended or RunState.Colo,
        RunState.IoError => to is RunState.Running or RunState.FinishMigrate or RunState.Prelaunch or RunState.Colo,
        RunState.InternalError => to is RunState.Paused or RunState.FinishMigrate or RunState.Prelaunch or RunState.Colo,
        RunState.Watchdog => to is RunState.Running or RunState.FinishMigrate or RunState.Prelaunch or RunState.Colo,
        RunState.GuestPanicked => to is RunState.Running or RunState.FinishMigrate or RunState.Prelaunch or RunState.Colo,
        RunState.Shutdown => to is RunState.Paused or RunState.FinishMigrate or RunState.Prelaunch or RunState.Colo,
        RunState.FinishMigrate => to is RunState.Running or RunState.Paused or RunState.PostMigrate or RunState.Prelaunch
            or RunState.Colo or RunState.InternalError or RunState.IoError or RunState.Shutdown or RunState.Suspended
            or RunState.Watchdog or RunState.GuestPanicked,
        RunState.PostMigrate => to is RunState.Running or RunState.FinishMigrate or RunState.Prelaunch,
        RunState.SaveVm => to is RunState.Running or RunState.Suspended,
        RunState.RestoreVm => to is RunState.Running or RunState.Prelaunch or RunState.Suspended,

        // QEMU knows running, prelaunch and shutdown only and loses whatever a checkpoint interrupted; here it is given back.
        RunState.Colo => to is RunState.Running or RunState.Prelaunch or RunState.Shutdown or RunState.Paused or RunState.Suspended
            or RunState.IoError or RunState.Watchdog or RunState.GuestPanicked or RunState.Debug or RunState.InternalError,
        _ => false,
    };
}
