using System.Diagnostics;
using Kvm.Colo.Machine.Control;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Machine;

/// <content>The pauses of migration and COLO: a cut on the sending side, an epoch going live on the receiving one.</content>
internal sealed partial class VirtualMachine
{
    private readonly PauseExecution _pause = new();
    private readonly ControlCompletion _pauseCompletion = new();

    /// <summary>
    /// Stops the guest, saves every device and vCPU, lets <paramref name="work"/> capture RAM, and lets the guest go on at once. A guest
    /// that was stopped before stays stopped. One migration thread at a time.
    /// </summary>
    /// <returns>How long the vCPUs did not run.</returns>
    /// <exception cref="TimeoutException">A vCPU or the control loop did not answer in time.</exception>
    public TimeSpan Cut(IPauseWork work, RunState during, RunState? after = null)
    {
        _pause.Prepare(this, work, during, after, isApply: false);
        _control.Invoke(_pause, _pauseCompletion, ParkDeadline + ParkDeadline);
        return _pause.Duration;
    }

    /// <summary>
    /// Stops the guest, lets <paramref name="work"/> replace RAM and state by an epoch's, and lets it go on, or stay stopped if the
    /// primary's guest was.
    /// </summary>
    /// <returns>How long the vCPUs did not run.</returns>
    public TimeSpan ApplyEpoch(IPauseWork work, RunState after)
    {
        _pause.Prepare(this, work, RunState.Colo, after, isApply: true);
        _control.Invoke(_pause, _pauseCompletion, ParkDeadline + ParkDeadline);
        return _pause.Duration;
    }

    /// <summary>From here on the guest is a secondary's: what it does to itself is provisional.</summary>
    public void BeginSpeculation() => _control.Invoke(
        () =>
        {
            IsSpeculative = true;
            Serial.Output.StartSpeculating();
            return true;
        },
        s_commandDeadline);

    /// <summary>Failover: the guest's own doings since the last epoch become true.</summary>
    public void EndSpeculation() => _control.Invoke(
        () =>
        {
            IsSpeculative = false;
            Serial.Output.GoDirect();
            Action? deferred = _deferredEnd;
            _deferredEnd = null;
            deferred?.Invoke();
            return true;
        },
        s_commandDeadline);

    /// <summary>
    /// A plain migration has ended on this side: the guest arrived (to run or to stay as it was) or has left for good.
    /// </summary>
    public void FinishMigration(RunState to) => _control.Invoke(
        () =>
        {
            if (to == RunState.Running && State != RunState.Running)
                RunNow();
            else
                ChangeState(to);
            return true;
        },
        s_commandDeadline);

    private void ExecuteCut(IPauseWork work, RunState during, RunState? after)
    {
        RunState interrupted = State;
        bool wasLive = _runState.IsLive;
        ChangeState(during);
        if (wasLive)
            _observer.OnStop();
        long start = Stopwatch.GetTimestamp();
        try
        {
            _group.Park(save: true, ParkDeadline);
            foreach (IStateOwner owner in StateOwners)
                owner.Capture();
            work.OnPaused();
        }
        finally
        {
            RunState next = after ?? interrupted;
            ChangeState(next);
            if (next == RunState.Running)
                ResumeVcpus();
            _pause.Duration = Stopwatch.GetElapsedTime(start);
            if (next == RunState.Running)
                _observer.OnResume();
        }
    }

    private void ExecuteApply(IPauseWork work, RunState after)
    {
        bool wasLive = _runState.IsLive;
        ChangeState(RunState.Colo);
        if (wasLive)
            _observer.OnStop();
        long start = Stopwatch.GetTimestamp();
        _group.Park(save: false, ParkDeadline);
        work.OnPaused();
        _deferredEnd = null;
        ChangeState(after);
        if (after == RunState.Running)
            ResumeVcpus();
        _pause.Duration = Stopwatch.GetElapsedTime(start);
        if (after == RunState.Running)
            _observer.OnResume();
    }

    /// <summary>The one pause in flight, reused for every checkpoint.</summary>
    private sealed class PauseExecution : IControlWork
    {
        private VirtualMachine? _machine;
        private IPauseWork? _work;
        private RunState _during;
        private RunState? _after;
        private bool _isApply;

        public TimeSpan Duration { get; set; }

        public void Prepare(VirtualMachine machine, IPauseWork work, RunState during, RunState? after, bool isApply)
        {
            _machine = machine;
            _work = work;
            _during = during;
            _after = after;
            _isApply = isApply;
        }

        public void Execute()
        {
            if (_isApply)
                _machine!.ExecuteApply(_work!, _after!.Value);
            else
                _machine!.ExecuteCut(_work!, _during, _after);
        }
    }
}
