using System.Text;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine.Acpi;
using Kvm.Colo.Machine.Loaders;
using Kvm.Colo.Machine.Vcpus;
using Kvm.Colo.Memory;
using Microsoft.Extensions.Logging;

namespace Kvm.Colo.Machine;

/// <content>Starting, stopping, resetting and ending; all of it on the control loop.</content>
internal sealed partial class VirtualMachine
{
    private static readonly TimeSpan s_commandDeadline = TimeSpan.FromSeconds(30);

    private bool _hasEnded;
    private bool _isSettling;
    private bool _isOffAnnounced;
    private RunState _finalState;
    private bool _stopsAfterMigration;
    private ulong _stoppedClock;

    /// <summary>Whether <c>cont</c> was last asked of a machine whose guest has not arrived yet (QEMU's autostart).</summary>
    public bool AutoStart { get; private set; } = true;

    /// <summary>
    /// A secondary's guest runs on speculation: when it resets, switches off or fails, that is held back until a checkpoint makes it
    /// undone or a failover makes it true.
    /// </summary>
    public bool IsSpeculative { get; private set; }

    /// <summary>A secondary was told <c>stop</c>: epochs go on arriving, its guest stands until <c>cont</c>.</summary>
    public bool IsHeld { get; private set; }

    /// <summary>Whether a reset by the guest ends the machine; may change at any time (QMP <c>set-action</c>).</summary>
    public bool NoReboot { get; set; }

    /// <summary>Whether the process stays when the guest switches itself off; may change at any time (QMP <c>set-action</c>).</summary>
    public bool NoShutdown { get; set; }

    /// <summary>What a guest's panic does; may change at any time (QMP <c>set-action</c>).</summary>
    public PanicAction Panic { get; set; }

    /// <summary>QMP <c>cont</c>, and the start of an ordinary machine.</summary>
    /// <exception cref="MachineCommandException">Not possible in the present run state.</exception>
    public void Start() => Invoke(() => Command(RunStateTrigger.Cont, _globalState.Arrived == RunState.Running
        ? RunStateTrigger.SecondaryCont
        : RunStateTrigger.SecondaryContWhilePrimaryStands));

    /// <summary>QMP <c>stop</c>.</summary>
    public void Stop() => Invoke(() => Command(RunStateTrigger.Stop, RunStateTrigger.SecondaryStop));

    /// <summary>QMP <c>system_reset</c>.</summary>
    /// <exception cref="MachineCommandException">Not possible in the present run state.</exception>
    public void Reset() => Invoke(() => Command(RunStateTrigger.SystemReset, RunStateTrigger.SecondaryReset));

    /// <summary>QMP <c>system_powerdown</c>: presses the power button.</summary>
    /// <exception cref="MachineCommandException">Not possible in the present run state.</exception>
    public void PowerDown() => Invoke(() => Command(RunStateTrigger.SystemPowerdown, RunStateTrigger.SecondaryPowerdown));

    /// <summary>QMP <c>system_wakeup</c>.</summary>
    /// <exception cref="MachineCommandException">The guest does not sleep.</exception>
    public void WakeUp() => Invoke(() => Command(RunStateTrigger.SystemWakeup, RunStateTrigger.SystemWakeup));

    /// <summary>Why the present run state does not allow something that is decided elsewhere, null when it does; any thread.</summary>
    public string? RefusalOf(RunStateTrigger trigger) => _hasEnded
        ? "The virtual machine has ended"
        : RunStateTable.Rule(State, trigger) is { Verdict: RunStateVerdict.Refuse } rule ? rule.Text : null;

    /// <summary>A disk failed and its policy is to stop the guest; any thread.</summary>
    public void StopOnDiskError() => _control.Post(() =>
    {
        if (!_hasEnded)
            Carry(RunStateTrigger.DiskError);
    });

    /// <summary>The registers of a vCPU as text; the guest stands still for the moment that takes.</summary>
    public string DescribeRegisters(int vcpuIndex) => _control.Invoke(() => DescribeRegistersNow(vcpuIndex), s_commandDeadline);

    /// <summary>Ends the machine: QMP <c>quit</c>, a signal, an error of the host.</summary>
    public void Quit(ShutdownCause cause, int exitStatus = 0) => _control.Post(() => QuitNow(cause, exitStatus));

    /// <summary>Ends the machine and waits until its SHUTDOWN event is out.</summary>
    public void QuitAndWait(ShutdownCause cause) => Invoke(() => QuitNow(cause, 0));

    /// <summary>The primary's guest has come to its end: this side's is the same guest, and ends or stays off as this side is told to.</summary>
    public void EndWithPeer(ShutdownCause cause, int exitStatus) => Invoke(() =>
    {
        if (_hasEnded)
            return;
        _deferred = GuestRequests.None;
        IsSpeculative = false;
        if (cause == ShutdownCause.GuestPanic && _globalState.Arrived != RunState.GuestPanicked)
            _observer.OnPanic(PanicAction.Shutdown);
        bool isKept = NoShutdown && cause == ShutdownCause.GuestShutdown;
        Carry(isKept ? RunStateTrigger.PeerOffKept : RunStateTrigger.PeerOff, cause, exitStatus, byGuest: true);
    });

    private void QuitNow(ShutdownCause cause, int exitStatus)
    {
        if (_hasEnded)
            return;
        Carry(
            cause switch
            {
                ShutdownCause.HostError => RunStateTrigger.HostError,
                ShutdownCause.HostQmpQuit => RunStateTrigger.Quit,
                _ => RunStateTrigger.HostSignal,
            },
            cause,
            exitStatus);
    }

    private void Command(RunStateTrigger trigger, RunStateTrigger atSecondary)
    {
        SettleGuest();
        ThrowIfEnded();
        Carry(IsSpeculative && State != RunState.InMigrate ? atSecondary : trigger, ShutdownCause.HostQmpSystemReset);
    }

    private void ThrowIfEnded()
    {
        if (_hasEnded)
            throw new MachineCommandException("The virtual machine has ended");
    }

    // Looks one transition up and carries it out.
    private void Carry(RunStateTrigger trigger, ShutdownCause cause = ShutdownCause.None, int exitStatus = 0, bool byGuest = false)
    {
        RunStateRule rule = RunStateTable.Rule(State, trigger);
        switch (rule.Verdict)
        {
            case RunStateVerdict.Act:
                Perform(rule, trigger, cause, exitStatus, byGuest);
                break;
            case RunStateVerdict.Nothing:
                break;
            case RunStateVerdict.Refuse:
                throw new MachineCommandException(rule.Text);
            default:
                throw new MachineCommandException($"Not possible while the run state is '{State.Name()}': {rule.Text}");
        }
    }

    private void Perform(in RunStateRule rule, RunStateTrigger trigger, ShutdownCause cause, int exitStatus, bool byGuest)
    {
        RunState to = rule.Target == RunStateTarget.Named ? rule.To : State;
        switch (rule.Action)
        {
            case RunStateAction.StartVcpus or RunStateAction.UnholdAndStart:
                IsHeld = false;
                RunNow(to);
                break;
            case RunStateAction.StopVcpus:
                StopNow(to, trigger);
                break;
            case RunStateAction.HoldAndStop:
                IsHeld = true;
                StopNow(to, trigger);
                break;
            case RunStateAction.RememberStart or RunStateAction.ForgetStart:
                AutoStart = rule.Action == RunStateAction.RememberStart;
                break;
            case RunStateAction.RememberStop:
                _stopsAfterMigration = true;
                break;
            case RunStateAction.Hold or RunStateAction.Unhold:
                IsHeld = rule.Action == RunStateAction.Hold;
                break;
            case RunStateAction.Reset:
                ResetNow(to, byGuest, cause);
                break;
            case RunStateAction.End:
                EndNow(to, byGuest, cause, exitStatus);
                break;
            case RunStateAction.KeepOff:
                KeepOff(to, cause, trigger);
                break;
            case RunStateAction.PanicStop:
                _observer.OnPanic(PanicAction.Pause);
                StopNow(to, trigger);
                break;
            case RunStateAction.PanicEnd:
                _observer.OnPanic(PanicAction.Shutdown);
                EndNow(to, byGuest, cause, exitStatus);
                break;
            case RunStateAction.PanicReport:
                _observer.OnPanic(PanicAction.None);
                break;
            case RunStateAction.CrashReport:
                _observer.OnCrashLoaded();
                break;
            case RunStateAction.PressPowerButton:
                _devices.Power.PressPowerButton();
                _observer.OnPowerdown();
                break;
            case RunStateAction.CarryOutDeferred:
                CarryOutDeferred();
                break;
            default:
                ChangeState(to);
                break;
        }
    }

    private void RunNow(RunState to)
    {
        ChangeState(to);
        if (_stoppedClock != 0)
        {
            _vm.SetClock(_stoppedClock);
            _stoppedClock = 0;
        }

        foreach (KvmVcpu vcpu in _vcpus)
            vcpu.MarkPaused();
        ResumeVcpus();
        _observer.OnResume();
    }

    // What the guest asked for before it was told to stand is carried out first; then the trigger meets the state that this left.
    // A guest that stops by its own doing has nothing more to ask.
    private void StopNow(RunState stopped, RunStateTrigger trigger)
    {
        _group.Park(drainsFaults: true, ParkDeadline);
        bool isToldTo = trigger is RunStateTrigger.Stop or RunStateTrigger.SecondaryStop or RunStateTrigger.DiskError;
        if (isToldTo && SettleGuest())
        {
            if (!_hasEnded)
                Carry(trigger);
            return;
        }

        _guestRequests = 0;
        ChangeState(stopped);
        _stoppedClock = _vm.GetClock();
        _observer.OnStop(_time.GetUtcNow());
        _devices.Io.Quiesce(s_quiesceDeadline);
    }

    private void ResetNow(RunState to, bool byGuest, ShutdownCause cause)
    {
        _group.Park(drainsFaults: true, ParkDeadline);
        _guestRequests = 0;

        // The chips last: until a device is at rest it may raise its line, and the next kernel would meet an interrupt of the last one's.
        _devices.Reset();
        _resetState.Load();
        if (Config.Boot is { } boot)
        {
            ClearRam();
            PlaceBootImage(boot);
        }

        _stoppedClock = 0;
        _isOffAnnounced = false;
        _resets.Count(byGuest, cause);
        ChangeState(to);
        _observer.OnReset(byGuest, cause);
        if (_runState.IsLive && !_isSettling)
            ResumeVcpus();
    }

    private void EndNow(RunState to, bool byGuest, ShutdownCause cause, int exitStatus)
    {
        _hasEnded = true;
        _finalState = !byGuest ? State : cause == ShutdownCause.GuestPanic ? RunState.GuestPanicked : RunState.Shutdown;
        _resets.OffCause = cause;
        try
        {
            _group.Park(drainsFaults: true, ParkDeadline);
        }
        finally
        {
            // A vCPU that does not come back must not keep the process from ending.
            ChangeState(to);
            if (!byGuest || !_isOffAnnounced)
                _observer.OnShutdown(byGuest, cause);
            _end.TrySetResult(new MachineEnd(exitStatus, cause));
        }
    }

    private void KeepOff(RunState to, ShutdownCause cause, RunStateTrigger trigger)
    {
        bool wasLive = _runState.IsLive;
        _resets.OffCause = cause;
        if (!_isOffAnnounced)
            _observer.OnShutdown(byGuest: true, cause);
        if (wasLive)
            StopNow(to, trigger);
        else
            ChangeState(to);
    }

    private string DescribeRegistersNow(int vcpuIndex)
    {
        bool wasParked = _group.IsParked;
        _group.Park(drainsFaults: true, ParkDeadline);
        StringBuilder text = new();
        GuestDiagnosis.AppendRegisters(text, _vcpus[vcpuIndex].GetRegs(), _vcpus[vcpuIndex].GetSregs());
        if (!wasParked && !_holdRequested)
            _group.Resume();
        return text.ToString();
    }

    private void ResumeVcpus()
    {
        _holdRequested = false;
        _devices.Io.Resume();
        _group.Resume();
        AnnounceArrival();
    }

    private void ChangeState(RunState to)
    {
        RunState from = State;
        _runState.Move(to);
        if (from != to)
            _observer.OnRunState(from, to);
    }

    private void PlaceBootImage(BootSource boot)
    {
        ResetVector.Install(Memory);
        _devices.Generation?.Install();
        BootPlan plan = KernelLoader.Load(boot, Memory, AcpiTables.Install(_devices.Acpi, Memory));
        BootRegisters.Apply(plan, _vcpus[0]);
    }

    // The loaders expect RAM as it is after power-on. Every page that is cleared is marked, so a secondary hears of it.
    private void ClearRam()
    {
        using PageBitmap used = new(Memory.PageCount);
        Memory.AddUsedPages(used);
        for (ulong page = used.NextSet(0); page < used.PageCount; page = used.NextSet(page + 1))
            Memory.TryFill(Memory.AddressOfPage(page), 0, GuestPage.SizeBytes);
    }

    private void OnControlFailure(Exception e)
    {
        LogControlFailure(_logger, e.Message, e);
        if (State == RunState.Running && _runState.TryMove(RunState.InternalError))
            _observer.OnStop(_time.GetUtcNow());
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "the machine could not carry out a transition: {Why}")]
    private static partial void LogControlFailure(ILogger logger, string why, Exception exception);
}
