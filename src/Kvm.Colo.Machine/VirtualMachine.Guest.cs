using Kvm.Colo.Devices;
using Microsoft.Extensions.Logging;

namespace Kvm.Colo.Machine;

/// <content>
/// What the guest asks of its machine. vCPU threads note it; the control loop carries it out, always before the vCPUs come to a stand
/// for another reason, so that a cut never captures a guest whose request is still under way.
/// </content>
internal sealed partial class VirtualMachine : IMachineControl
{
    private readonly Action _settle;
    private uint _guestRequests;
    private GuestRequests _deferred;
    private int _guestExitStatus;
    private int _deferredExitStatus;

    void IMachineControl.RequestReset() => RequestFromGuest(GuestRequests.Reset);

    void IMachineControl.RequestPowerOff() => RequestOff(0);

    void IMachineControl.RequestExit(byte value) => RequestOff((value << 1) | 1);

    // The guest runs on: its kernel may still have something to do, such as a crash dump.
    void IMachineControl.RequestPanic(byte events)
    {
        LogPanic(_logger, events);
        if ((events & Devices.Diagnostics.PvpanicDevice.CrashLoaded) != 0)
            Note(GuestRequests.CrashLoaded);
        if ((events & Devices.Diagnostics.PvpanicDevice.Panicked) != 0)
            Note(GuestRequests.Panic);
    }

    private void RequestOff(int exitStatus)
    {
        Volatile.Write(ref _guestExitStatus, exitStatus);
        RequestFromGuest(GuestRequests.Off);
    }

    // The vCPU that asked must not run on into whatever follows the request.
    private void RequestFromGuest(GuestRequests request)
    {
        _holdRequested = true;
        Note(request);
    }

    private void Note(GuestRequests request)
    {
        if (Interlocked.Or(ref _guestRequests, (uint)request) == 0)
            _control.Post(_settle);
    }

    // Returns whether there was anything.
    private bool SettleGuest()
    {
        var requests = (GuestRequests)Interlocked.Exchange(ref _guestRequests, 0);
        if (requests == GuestRequests.None || _hasEnded)
            return false;
        bool wasSettling = _isSettling;
        _isSettling = _group.IsParked;
        try
        {
            if (IsSpeculative)
                Defer(requests);
            else
                CarryOut(requests, Volatile.Read(ref _guestExitStatus));
        }
        finally
        {
            _isSettling = wasSettling;
        }

        return true;
    }

    private void Defer(GuestRequests requests)
    {
        if (RunStateTable.Rule(State, RunStateTrigger.SecondaryGuestRequest).Action != RunStateAction.Defer)
            return;
        _deferred |= requests;
        _deferredExitStatus = Volatile.Read(ref _guestExitStatus);
    }

    private void CarryOutDeferred()
    {
        GuestRequests requests = _deferred;
        _deferred = GuestRequests.None;
        CarryOut(requests, _deferredExitStatus);
    }

    // A panic is reported before whatever the guest did next; after a reset nothing older counts.
    private void CarryOut(GuestRequests requests, int exitStatus)
    {
        if ((requests & GuestRequests.CrashLoaded) != 0 && IsStillRunning)
            Carry(RunStateTrigger.GuestCrashLoaded);
        if ((requests & GuestRequests.Panic) != 0 && IsStillRunning)
            OnGuestPanic();
        if ((requests & GuestRequests.Failure) != 0 && IsStillRunning)
            Carry(RunStateTrigger.GuestFailure);
        if ((requests & GuestRequests.Off) != 0 && IsStillRunning)
            Carry(NoShutdown ? RunStateTrigger.GuestOffKept : RunStateTrigger.GuestOff, ShutdownCause.GuestShutdown, exitStatus, byGuest: true);
        if ((requests & GuestRequests.Reset) != 0 && IsStillRunning)
            Carry(NoReboot ? RunStateTrigger.GuestResetEnds : RunStateTrigger.GuestReset, ShutdownCause.GuestReset, 0, byGuest: true);
    }

    private bool IsStillRunning => !_hasEnded && State == RunState.Running;

    private void OnGuestPanic()
    {
        RunStateTrigger trigger = Panic switch
        {
            PanicAction.None => RunStateTrigger.GuestPanicRuns,
            PanicAction.Pause => RunStateTrigger.GuestPanicPauses,
            _ when NoShutdown => RunStateTrigger.GuestPanicPauses,
            _ => RunStateTrigger.GuestPanicEnds,
        };
        int exitStatus = Panic == PanicAction.ExitFailure ? 1 : 0;
        Carry(trigger, ShutdownCause.GuestPanic, exitStatus, byGuest: true);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the guest reported a panic (pvpanic events 0x{Events:x})")]
    private static partial void LogPanic(ILogger logger, byte events);
}
