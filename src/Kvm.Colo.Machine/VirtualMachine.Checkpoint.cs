using System.Diagnostics;
using Kvm.Colo.Machine.Control;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Machine;

/// <content>The pauses of migration and COLO: a cut on the sending side, an epoch going live on the receiving one.</content>
internal sealed partial class VirtualMachine
{
    private static readonly TimeSpan s_pauseDeadline = TimeSpan.FromSeconds(20);

    private readonly PauseExecution _pause = new();
    private readonly ControlCompletion _pauseCompletion = new();

    /// <summary>
    /// Stops the guest, saves every device and vCPU, lets <paramref name="work"/> capture RAM, and lets the guest go on at once; a guest
    /// that was stopped before stays as it was. With <paramref name="after"/> the machine is left in that state instead. One migration
    /// thread at a time.
    /// </summary>
    /// <returns>How long the vCPUs did not run.</returns>
    /// <exception cref="TimeoutException">A vCPU or the control loop did not answer in time.</exception>
    public TimeSpan Cut(IPauseWork work, RunState during, RunState? after = null)
    {
        _pause.Prepare(this, work, during, after, isCut: true);
        _control.Invoke(_pause, _pauseCompletion, s_pauseDeadline);
        return _pause.Duration;
    }

    /// <summary>
    /// Stops the guest, lets <paramref name="work"/> replace RAM and state by an epoch's, and leaves the machine in the run state that
    /// came with it. If the work fails the guest does not run again: its state may be a mix.
    /// </summary>
    /// <returns>How long the vCPUs did not run.</returns>
    public TimeSpan Apply(IPauseWork work, RunState during)
    {
        _pause.Prepare(this, work, during, null, isCut: false);
        _control.Invoke(_pause, _pauseCompletion, s_pauseDeadline);
        return _pause.Duration;
    }

    /// <summary>From here on the guest is a secondary's: what it does to itself is provisional.</summary>
    public void BeginSpeculation() => Invoke(() =>
    {
        IsSpeculative = true;
        Serial.Output.StartSpeculating();
    });

    /// <summary>Failover: the guest's own doings since the last epoch become true.</summary>
    public void EndSpeculation() => Invoke(() =>
    {
        IsSpeculative = false;
        Serial.Output.GoDirect();
        Action? deferred = _deferredEnd;
        _deferredEnd = null;
        deferred?.Invoke();
    });

    /// <summary>From here on the guest is a primary's: its serial output travels with its epochs.</summary>
    public void BeginRecording() => Invoke(Serial.Output.StartRecording);

    /// <summary>The pair is no more, this guest goes on alone.</summary>
    public void EndRecording() => Invoke(Serial.Output.GoDirect);

    /// <summary>
    /// The guest has left for good (<see cref="RunState.PostMigrate"/>), or its migration failed while it was stopped and it goes back
    /// to <paramref name="to"/>.
    /// </summary>
    public void LeaveFinishMigrate(RunState to) => Invoke(() =>
    {
        if (State != RunState.FinishMigrate)
            return;
        if (to == RunState.Running)
            RunNow();
        else
            ChangeState(to);
    });

    /// <summary>Waits until everything posted before has been carried out.</summary>
    public void Synchronize() => Invoke(static () => { });

    private void Invoke(Action action) => _control.Invoke(
        () =>
        {
            action();
            return true;
        },
        s_commandDeadline);

    private void ExecutePause(PauseExecution pause)
    {
        long start = Stopwatch.GetTimestamp();
        if (pause.IsCut)
            ParkForCut();
        RunState interrupted = State;
        bool wasLive = _runState.IsLive;
        ChangeState(pause.During);
        if (wasLive)
            _observer.OnStop();

        // A failed cut leaves a whole guest, which goes on; a failed load may leave a mix, which must not.
        RunState next = pause.IsCut ? interrupted : RunState.InternalError;
        try
        {
            next = pause.IsCut ? ExecuteCut(pause, interrupted) : ExecuteApply(pause);
        }
        finally
        {
            ChangeState(next);
            if (next == RunState.Running)
                ResumeVcpus();
            pause.Duration = Stopwatch.GetElapsedTime(start);
            if (next == RunState.Running)
                _observer.OnResume();
        }
    }

    // A guest that has asked for a reset or its end has done so before the cut: its state after the cut must show it.
    private void ParkForCut()
    {
        _group.Park(save: true, ParkDeadline);
        _isPausing = true;
        try
        {
            if (ServeGuestRequest())
                _group.Park(save: true, ParkDeadline);
        }
        finally
        {
            _isPausing = false;
        }

        if (_end.Task.IsCompleted)
            throw new MachineCommandException("the machine has ended");
    }

    private RunState ExecuteCut(PauseExecution pause, RunState interrupted)
    {
        _globalState.Interrupted = interrupted;
        foreach (IStateOwner owner in StateOwners)
            owner.Capture();
        pause.Work.OnPaused();
        return pause.After ?? interrupted;
    }

    private RunState ExecuteApply(PauseExecution pause)
    {
        _group.Park(save: false, ParkDeadline);
        pause.Work.OnPaused();
        Volatile.Write(ref _guestRequest, null);
        _deferredEnd = null;
        return _globalState.Arrived == RunState.Running && !AutoStart && State == RunState.InMigrate
            ? RunState.Paused
            : _globalState.Arrived;
    }

    /// <summary>The one pause in flight, reused for every checkpoint.</summary>
    private sealed class PauseExecution : IControlWork
    {
        private VirtualMachine? _machine;

        public IPauseWork Work { get; private set; } = null!;

        public RunState During { get; private set; }

        public RunState? After { get; private set; }

        public bool IsCut { get; private set; }

        public TimeSpan Duration { get; set; }

        public void Prepare(VirtualMachine machine, IPauseWork work, RunState during, RunState? after, bool isCut)
        {
            _machine = machine;
            Work = work;
            During = during;
            After = after;
            IsCut = isCut;
        }

        public void Execute() => _machine!.ExecutePause(this);
    }
}
