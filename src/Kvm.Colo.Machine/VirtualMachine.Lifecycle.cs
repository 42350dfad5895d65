using System.Text;
using Kvm.Colo.Devices;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine.Loaders;
using Kvm.Colo.Machine.Vcpus;
using Kvm.Colo.Memory;
using Microsoft.Extensions.Logging;

namespace Kvm.Colo.Machine;

/// <content>Starting, stopping, resetting and ending; all of it on the control loop.</content>
internal sealed partial class VirtualMachine : IMachineControl
{
    private static readonly TimeSpan s_commandDeadline = TimeSpan.FromSeconds(30);

    private readonly Action _serveGuestRequest;
    private Action? _guestRequest;
    private Action? _deferredEnd;
    private bool _isPausing;
    private ulong _stoppedClock;

    /// <summary>Whether <c>cont</c> was last asked of a machine whose guest has not arrived yet (QEMU's autostart).</summary>
    public bool AutoStart { get; private set; } = true;

    /// <summary>
    /// A secondary's guest runs on speculation: when it resets, switches off or fails, that is held back until a checkpoint makes it
    /// undone or a failover makes it true.
    /// </summary>
    public bool IsSpeculative { get; private set; }

    /// <summary>Whether a reset by the guest ends the machine; may change at any time (QMP <c>set-action</c>).</summary>
    public bool NoReboot { get; set; }

    /// <summary>Whether the process stays when the guest switches itself off; may change at any time (QMP <c>set-action</c>).</summary>
    public bool NoShutdown { get; set; }

    /// <summary>QMP <c>cont</c>, and the start of an ordinary machine.</summary>
    /// <exception cref="MachineCommandException">Not possible in the present run state.</exception>
    public void Start() => _control.Invoke(() => StartNow(), s_commandDeadline);

    /// <summary>QMP <c>stop</c>.</summary>
    public void Stop() => _control.Invoke(() => StopNow(RunState.Paused), s_commandDeadline);

    /// <summary>QMP <c>system_reset</c>.</summary>
    public void Reset() => _control.Invoke(() => ResetNow(byGuest: false, ShutdownCause.HostQmpSystemReset), s_commandDeadline);

    /// <summary>QMP <c>system_powerdown</c>: presses the power button.</summary>
    public void PowerDown() => Invoke(() =>
    {
        _devices.Power.PressPowerButton();
        _observer.OnPowerdown();
    });

    /// <summary>The registers of a vCPU as text; the guest stands still for the moment that takes.</summary>
    public string DescribeRegisters(int vcpuIndex) => _control.Invoke(() => DescribeRegistersNow(vcpuIndex), s_commandDeadline);

    /// <summary>Ends the machine: QMP <c>quit</c>, a signal, an error of the host.</summary>
    public void Quit(ShutdownCause cause, int exitStatus = 0) => _control.Post(() => EndNow(byGuest: false, cause, exitStatus));

    /// <summary>Ends the machine and waits until its SHUTDOWN event is out.</summary>
    public void QuitAndWait(ShutdownCause cause) => _control.Invoke(() => EndNow(byGuest: false, cause, 0), s_commandDeadline);

    void IMachineControl.RequestReset() => RequestFromGuest(() => OnGuestReset());

    void IMachineControl.RequestPowerOff() => RequestFromGuest(() => OnGuestOff(0));

    void IMachineControl.RequestExit(byte value) => RequestFromGuest(() => OnGuestOff((value << 1) | 1));

    void IMachineControl.RequestPanic(byte events) => _control.Post(() => OnGuestPanic(events));

    // The vCPU that asked must not run on into whatever follows the request. The request is kept beside the loop's queue, because a
    // pause may come first: a cut carries it out before it captures the guest, a load drops it with the guest that asked.
    private void RequestFromGuest(Action request)
    {
        Interlocked.CompareExchange(ref _guestRequest, request, null);
        _holdRequested = true;
        _control.Post(_serveGuestRequest);
    }

    private bool ServeGuestRequest()
    {
        if (Interlocked.Exchange(ref _guestRequest, null) is not { } request)
            return false;
        if (IsSpeculative)
            _deferredEnd = request;
        else
            request();
        return true;
    }

    private bool StartNow()
    {
        switch (State)
        {
            case RunState.InMigrate:
                AutoStart = true;
                return true;
            case RunState.InternalError or RunState.Shutdown:
                throw new MachineCommandException("Resetting the Virtual Machine is required");
            case RunState.FinishMigrate:
                throw new MachineCommandException("Migration is not finalized yet");
            case RunState.Running:
                return true;
            default:
                RunNow();
                return true;
        }
    }

    private void RunNow()
    {
        ChangeState(RunState.Running);
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

    private bool StopNow(RunState stopped)
    {
        if (State == RunState.InMigrate)
            AutoStart = false;
        if (!_runState.IsLive)
            return false;
        ChangeState(stopped);
        _group.Park(save: false, ParkDeadline);
        _stoppedClock = _vm.GetClock();
        _observer.OnStop();
        return true;
    }

    private bool ResetNow(bool byGuest, ShutdownCause cause)
    {
        if (State is RunState.InMigrate or RunState.FinishMigrate)
            return false;
        bool wasLive = _runState.IsLive;
        if (byGuest && NoReboot)
        {
            EndNow(byGuest: true, cause, 0);
            return true;
        }

        _group.Park(save: false, ParkDeadline);
        _resetState.Load();
        _devices.Reset();
        if (Config.Boot is { } boot)
        {
            ClearRam();
            PlaceBootImage(boot);
        }

        _stoppedClock = 0;
        _observer.OnReset(byGuest, cause);
        if (wasLive)
            ResumeVcpus();
        else
            ChangeState(RunState.Prelaunch);
        return true;
    }

    private bool EndNow(bool byGuest, ShutdownCause cause, int exitStatus)
    {
        if (_end.Task.IsCompleted)
            return false;
        try
        {
            _group.Park(save: false, ParkDeadline);
        }
        finally
        {
            // A vCPU that does not come back must not keep the process from ending.
            _observer.OnShutdown(byGuest, cause);
            _end.TrySetResult(new MachineEnd(exitStatus, cause));
        }

        return true;
    }

    private void OnGuestReset() => ResetNow(byGuest: true, ShutdownCause.GuestReset);

    private void OnGuestOff(int exitStatus)
    {
        if (!NoShutdown)
        {
            EndNow(byGuest: true, ShutdownCause.GuestShutdown, exitStatus);
            return;
        }

        _observer.OnShutdown(byGuest: true, ShutdownCause.GuestShutdown);
        StopNow(RunState.Shutdown);
    }

    private void OnGuestPanic(byte events)
    {
        LogPanic(_logger, events);
        if (IsSpeculative)
            return;
        _observer.OnPanic();
        StopNow(RunState.GuestPanicked);
    }

    private string DescribeRegistersNow(int vcpuIndex)
    {
        bool wasParked = _group.IsParked;
        _group.Park(save: false, ParkDeadline);
        StringBuilder text = new();
        GuestDiagnosis.AppendRegisters(text, _vcpus[vcpuIndex].GetRegs(), _vcpus[vcpuIndex].GetSregs());
        if (!wasParked && !_holdRequested)
            _group.Resume();
        return text.ToString();
    }

    private void ResumeVcpus()
    {
        if (_isPausing || _end.Task.IsCompleted)
            return;
        _holdRequested = false;
        _group.Resume();
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
        BootPlan plan = KernelLoader.Load(boot, Memory, rsdp: 0);
        BootRegisters.Apply(plan, _vcpus[0]);
    }

    // The loaders expect RAM as it is after power-on. Every page that is cleared is marked, so a secondary hears of it.
    private void ClearRam()
    {
        for (ulong page = Memory.NextPopulated(0); page < Memory.PageCount; page = Memory.NextPopulated(page + 1))
            Memory.TryFill(Memory.AddressOfPage(page), 0, GuestPage.SizeBytes);
    }

    private void OnControlFailure(Exception e)
    {
        LogControlFailure(_logger, e.Message, e);
        if (State == RunState.Running && _runState.TryMove(RunState.InternalError))
            _observer.OnStop();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "the machine could not carry out a transition: {Why}")]
    private static partial void LogControlFailure(ILogger logger, string why, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the guest reported a panic (pvpanic events 0x{Events:x})")]
    private static partial void LogPanic(ILogger logger, byte events);
}
