using System.Diagnostics;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Machine.Control;
using Kvm.Colo.Machine.Vcpus;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Machine;

/// <content>The pauses of migration and COLO: a cut on the sending side, an epoch going live on the receiving one.</content>
internal sealed partial class VirtualMachine
{
    private static readonly TimeSpan s_pauseDeadline = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_quiesceDeadline = TimeSpan.FromSeconds(8);

    private readonly PauseExecution _pause = new();
    private readonly ControlCompletion _pauseCompletion = new();
    private readonly EpochAwaiting _awaiting = new();
    private bool _awaitsEpoch;
    private bool _mustAnnounce;
    private DateTimeOffset? _untoldStop;
    private long _pauseAllocatedBytes;

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
        return CarryOutPause();
    }

    /// <summary>
    /// Stops the guest, lets <paramref name="work"/> replace RAM and state by an epoch's, and leaves the machine in the run state that
    /// came with it. If the work fails the guest does not run again: its state may be a mix.
    /// </summary>
    /// <param name="work">Loads.</param>
    /// <param name="during">The run state in the meantime.</param>
    /// <param name="ranOnSince">
    /// When the state was saved (<see cref="Stopwatch"/> timestamp), if the guest has run on elsewhere since; 0 when its time stood still.
    /// </param>
    /// <returns>How long the vCPUs did not run, after <see cref="AwaitEpoch"/> since then.</returns>
    public TimeSpan Apply(IPauseWork work, RunState during, long ranOnSince = 0)
    {
        _pause.Prepare(this, work, during, null, isCut: false, ranOnSince);
        return CarryOutPause();
    }

    /// <summary>
    /// The primary's guest has stopped for its cut: this one stops too, so that both have come equally far. The run state stays what it is,
    /// and any command to go on is obeyed. <see cref="Apply"/> or <see cref="ForgoEpoch"/> follows.
    /// </summary>
    public void AwaitEpoch() => TellAwaiting(begins: true);

    /// <summary>No epoch follows: a guest that only waited for it goes on. After <see cref="Apply"/> it does nothing.</summary>
    public void ForgoEpoch()
    {
        if (Volatile.Read(ref _awaitsEpoch))
            TellAwaiting(begins: false);
    }

    /// <summary>Pauses into which a garbage collection fell; a figure to watch, it should stay at zero.</summary>
    public long PausesWithCollection { get; private set; }

    /// <summary>
    /// Managed memory that control loop, vCPU threads and the migration thread have allocated inside pauses, in bytes; should stay as it
    /// is once all code of a pause has run.
    /// </summary>
    public long PauseAllocatedBytes
    {
        get
        {
            long sum = Interlocked.Read(ref _pauseAllocatedBytes);
            foreach (VcpuThread thread in _group.Threads)
                sum += thread.ParkedAllocatedBytes;
            return sum;
        }
    }

    /// <summary>
    /// How far the clock of a secondary's running guest was ahead of the last epoch's at the moment it was replaced: the guest time that
    /// the other side needs to bring a state here. Null before the first epoch, and when the guest did not run.
    /// </summary>
    public TimeSpan? Skew { get; private set; }

    /// <summary>Whether the guest about to arrive comes out of a saved state, which may be restored more than once.</summary>
    public bool ArrivesFromSavedState { get; set; }

    /// <summary>From here on the guest is a secondary's: what it does to itself is provisional.</summary>
    public void BeginSpeculation() => Invoke(() =>
    {
        IsSpeculative = true;
        _devices.Io.BeginSpeculation();
        IsHeld = false;
        Memory.KeepsCommittedImage = true;
        _devices.SetOutput(SerialOutputMode.Speculative);
    });

    /// <summary>Failover: the guest's own doings since the last epoch become true.</summary>
    public void EndSpeculation() => Invoke(() =>
    {
        IsSpeculative = false;
        _devices.Io.EndSpeculation();
        Memory.KeepsCommittedImage = false;
        _devices.SetOutput(SerialOutputMode.Direct);
        IsHeld = false;
        if (!_hasEnded)
            Carry(RunStateTrigger.TakeOver);
        AnnounceArrival();
    });

    /// <summary>From here on the guest is a primary's: what it writes to its consoles travels with its epochs, its frames wait for them.</summary>
    /// <param name="waits">Told of the first frame of an epoch that waits; any thread, returns at once.</param>
    /// <param name="pressure">Asks for a checkpoint because much waits; so too.</param>
    public void BeginRecording(Action waits, Action pressure) => Invoke(() =>
    {
        _devices.SetOutput(SerialOutputMode.Recording);
        _devices.Io.BeginOutputCommit(waits, pressure);
    });

    /// <summary>The pair is no more, this guest goes on alone.</summary>
    public void EndRecording() => Invoke(() =>
    {
        _devices.SetOutput(SerialOutputMode.Direct);
        _devices.Io.EndOutputCommit();
    });

    /// <summary>
    /// The guest has left for good (<see cref="RunState.PostMigrate"/>), or its migration failed while it was stopped and it goes back
    /// to <paramref name="to"/>.
    /// </summary>
    public void LeaveFinishMigrate(RunState to) => Invoke(() =>
    {
        bool stops = _stopsAfterMigration;
        _stopsAfterMigration = false;
        if (State != RunState.FinishMigrate || _hasEnded)
            return;
        if (to == RunState.PostMigrate)
            Carry(RunStateTrigger.MigrationCompletes);
        else if (stops && to == RunState.Running)
            Carry(RunStateTrigger.MigrationFailsHeld);
        else if (to == RunState.Running)
            RunNow(to);
        else
            ChangeState(to);
    });

    /// <summary>Tells the network again where the guest is; a speculating one is nowhere.</summary>
    public void AnnounceSelf() => Invoke(() =>
    {
        if (!IsSpeculative)
            _devices.Io.Announce();
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

    private void TellAwaiting(bool begins)
    {
        _awaiting.Prepare(this, begins);
        _control.Invoke(_awaiting, _pauseCompletion, s_pauseDeadline);
    }

    private void ExecuteAwaiting(bool begins)
    {
        Volatile.Write(ref _awaitsEpoch, begins);
        if (_hasEnded || !_runState.IsLive)
            return;
        if (begins)
            _group.Park(drainsFaults: true, ParkDeadline);
        else if (_group.IsParked)
            ResumeVcpus();
    }

    private TimeSpan CarryOutPause()
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        _control.Invoke(_pause, _pauseCompletion, s_pauseDeadline);
        Interlocked.Add(ref _pauseAllocatedBytes, GC.GetAllocatedBytesForCurrentThread() - allocated);
        return _pause.Duration;
    }

    private void ExecutePause(PauseExecution pause)
    {
        // The last checkpoint of a machine that has ended tells the peer how.
        if (!pause.IsCut || pause.During != RunState.Colo)
            ThrowIfEnded();
        RunStateRule begin = RunStateTable.Rule(State, pause.Begin(State));
        if (begin.Verdict != RunStateVerdict.Act)
            throw new MachineCommandException($"Not possible while the run state is '{State.Name()}': {begin.Text}");
        long start = _awaitsEpoch ? pause.RanOnSince : Stopwatch.GetTimestamp();
        _awaitsEpoch = false;
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        int collections = GC.CollectionCount(0);
        bool isCheckpoint = pause.During == RunState.Colo;
        if (isCheckpoint)
            _observer.OnCheckpointPause(begins: true);
        _group.Park(drainsFaults: !pause.IsCut, ParkDeadline, savesEarly: pause.IsCut);

        // A cut between a guest's request and its effect would give the peer a guest that waits for an answer for ever.
        if (pause.IsCut && SettleGuest())
            _group.ForgetEarlySave();
        RunState interrupted = State;
        bool wasLive = _runState.IsLive;
        ChangeState(pause.During);
        if (wasLive)
            _untoldStop = _time.GetUtcNow();

        // A failed cut leaves a whole guest, which goes on; a failed load may leave a mix, which must not.
        RunState next = pause.IsCut ? interrupted : RunState.InternalError;
        try
        {
            _devices.Io.Quiesce(s_quiesceDeadline);
            next = pause.IsCut ? ExecuteCut(pause, interrupted) : ExecuteApply(pause, interrupted);
        }
        finally
        {
            ChangeState(next);
            if (next == RunState.Running)
                ResumeVcpus();
            pause.Duration = Stopwatch.GetElapsedTime(start);
            Interlocked.Add(ref _pauseAllocatedBytes, GC.GetAllocatedBytesForCurrentThread() - allocated);
            if (GC.CollectionCount(0) != collections)
                PausesWithCollection++;
            if (isCheckpoint && next == RunState.Running)
                _observer.OnCheckpointPause(begins: false);
            TellStop();
            if (next == RunState.Running)
                _observer.OnResume();
        }
    }

    private RunState ExecuteCut(PauseExecution pause, RunState interrupted)
    {
        _globalState.Interrupted = _hasEnded ? _finalState : interrupted;
        Save(pause.Work);
        return pause.After ?? interrupted;
    }

    // Devices at rest, then chips, then vCPUs: an interrupt on its way is found further on, at worst twice, but never nowhere.
    private void Save(IPauseWork? work)
    {
        for (int i = 0; i < StateOwners.Count; i++)
            StateOwners[i].Capture(); // an enumerator would be memory allocated in the pause
        _group.BeginSave();
        try
        {
            work?.OnPaused();
        }
        finally
        {
            _group.EndSave(ParkDeadline);
        }

        work?.OnSaved();
    }

    // What the guest here asked for since the last epoch never happened.
    private RunState ExecuteApply(PauseExecution pause, RunState interrupted)
    {
        RunState before = _globalState.Arrived;
        ulong clock = interrupted == RunState.Running ? _vm.GetClock() : 0;
        _guestRequests = 0;
        _deferred = GuestRequests.None;
        _vm.RanOnSince = _globalState.IsArriving(RunState.Running) ? pause.RanOnSince : 0;
        try
        {
            pause.Work.OnPaused();
        }
        finally
        {
            _vm.RanOnSince = 0;
        }

        Skew = clock == 0 ? null : TimeSpan.FromTicks((long)(clock - _chips.ArrivedClock) / TimeSpan.NanosecondsPerTick);
        _mustAnnounce = true;
        if (pause.During == RunState.InMigrate)
            _devices.Generation?.OnArrived(ArrivesFromSavedState);
        _stoppedClock = 0;
        RunState arrived = _globalState.Arrived;
        if (interrupted != RunState.InMigrate)
            Announce(before, arrived);
        bool isHeld = pause.During == RunState.InMigrate ? !AutoStart : IsHeld;
        return arrived == RunState.Running && isHeld ? RunState.Paused : arrived;
    }

    // Telling monitors costs more than saving a device does, so it is done when the guest runs again.
    private void TellStop()
    {
        if (_untoldStop is not { } when)
            return;
        _untoldStop = null;
        _observer.OnStop(when);
    }

    // What happened to the guest on the other side since the last epoch has now happened to this one.
    private void Announce(RunState before, RunState arrived)
    {
        if (!_resets.HasArrived && before == arrived)
            return;
        TellStop();
        if (_resets.HasArrived)
            _observer.OnReset(_resets.ByGuest, _resets.Cause);
        if (before == arrived)
            return;
        _isOffAnnounced = arrived == RunState.Shutdown;
        if (_isOffAnnounced)
            _observer.OnShutdown(byGuest: true, _resets.OffCause);
        else if (arrived == RunState.GuestPanicked)
            _observer.OnPanic(PanicAction.Pause);
    }

    // A guest that came over a link is on the network at another place now; a speculating one is not on it at all.
    private void AnnounceArrival()
    {
        if (!_mustAnnounce || IsSpeculative || !_runState.IsLive)
            return;
        _mustAnnounce = false;
        _devices.Io.Announce();
    }

    /// <summary>The one pause in flight, reused for every checkpoint.</summary>
    private sealed class PauseExecution : IControlWork
    {
        private VirtualMachine? _machine;

        public IPauseWork Work { get; private set; } = null!;

        public RunState During { get; private set; }

        public RunState? After { get; private set; }

        public bool IsCut { get; private set; }

        public long RanOnSince { get; private set; }

        public TimeSpan Duration { get; set; }

        /// <summary>The trigger this pause begins with.</summary>
        public RunStateTrigger Begin(RunState from) => (IsCut, During) switch
        {
            (true, RunState.Colo) => RunStateTrigger.CheckpointCut,
            (true, RunState.FinishMigrate) => After is null ? RunStateTrigger.SessionCut : RunStateTrigger.Switchover,
            (false, RunState.Colo) => from == RunState.InMigrate ? RunStateTrigger.SessionLoad : RunStateTrigger.EpochBegin,
            (false, RunState.InMigrate) => RunStateTrigger.MigrationArrives,
            _ => throw new InvalidOperationException($"no pause has the run state '{During.Name()}'"),
        };

        public void Prepare(VirtualMachine machine, IPauseWork work, RunState during, RunState? after, bool isCut, long ranOnSince = 0)
        {
            _machine = machine;
            Work = work;
            During = during;
            After = after;
            IsCut = isCut;
            RanOnSince = ranOnSince;
        }

        public void Execute() => _machine!.ExecutePause(this);
    }

    /// <summary>The beginning or the end of a wait for an epoch, reused so that a checkpoint allocates nothing.</summary>
    private sealed class EpochAwaiting : IControlWork
    {
        private VirtualMachine? _machine;
        private bool _begins;

        public void Prepare(VirtualMachine machine, bool begins)
        {
            _machine = machine;
            _begins = begins;
        }

        public void Execute() => _machine!.ExecuteAwaiting(_begins);
    }
}
