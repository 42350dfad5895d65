using Kvm.Colo.Devices;
using Kvm.Colo.Machine;
using Kvm.Colo.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Kvm.Colo.SystemTests;

/// <summary>A random walk over a real machine's monitor; after every step run state, reply and events are what the table says.</summary>
[Trait("Category", "RequiresKvm")]
public class RunStateModelTests(ITestOutputHelper output)
{
    private const int Steps = 100_000;
    private const int Seed = 20260;

    private RunState _state = RunState.Prelaunch;
    private PanicAction _panic = PanicAction.Shutdown;
    private bool _noShutdown;
    private bool _noReboot;

    [KvmFact]
    public void HundredThousandSteps_FollowTheTable()
    {
        using RunStateVm vm = new();
        IMachineControl guest = vm.Machine;
        Random random = new(Seed);
        Dictionary<RunState, int> seen = [];
        for (int step = 0; step < Steps; step++)
        {
            (string what, string error, List<string> expected) = Step(vm, guest, random, out string reply);
            Assert.True(error == reply, $"step {step}, {what} in {_state}: '{reply}', not '{error}'");
            if (step % 16 == 0)
                Assert.Equal(_state.Name(), vm.Status);
            Assert.Equal(_state, vm.Machine.State);
            List<string> events = RunStateVm.Take(vm.Client);
            Assert.True(expected.SequenceEqual(events), $"step {step}, {what}: [{string.Join(", ", events)}], not [{string.Join(", ", expected)}]");
            seen[_state] = seen.GetValueOrDefault(_state) + 1;
        }

        output.WriteLine(string.Join(", ", seen.Select(static pair => $"{pair.Key.Name()} {pair.Value}")));
        Assert.Equal(
            [RunState.Prelaunch, RunState.Running, RunState.Paused, RunState.IoError, RunState.GuestPanicked, RunState.Shutdown], seen.Keys.Order());
    }

    private (string What, string Error, List<string> Events) Step(RunStateVm vm, IMachineControl guest, Random random, out string reply)
    {
        int choice = random.Next(100);
        (string Command, RunStateTrigger Trigger)? command = choice switch
        {
            < 30 => ("stop", RunStateTrigger.Stop),
            < 62 => ("cont", RunStateTrigger.Cont),
            < 66 => ("system_reset", RunStateTrigger.SystemReset),
            < 72 => ("system_powerdown", RunStateTrigger.SystemPowerdown),
            < 74 => ("system_wakeup", RunStateTrigger.SystemWakeup),
            _ => null,
        };
        if (command is { } asked)
        {
            reply = vm.Try(asked.Command);
            (string error, List<string> events) = Apply(asked.Trigger);
            return (asked.Command, error, events);
        }

        reply = "";
        if (choice < 84 || _state != RunState.Running)
        {
            reply = SetAction(vm, random);
            return ("set-action", "", []);
        }

        RunStateTrigger trigger = AskAsGuest(vm, guest, random);
        vm.Machine.Synchronize();
        vm.Client.Execute("query-name");
        return (trigger.ToString(), "", Apply(trigger).Events);
    }

    // Nothing here may end the machine, or the walk would.
    private string SetAction(RunStateVm vm, Random random)
    {
        _noShutdown = true;
        _noReboot = false;
        _panic = (PanicAction)random.Next(4);
        string panic = _panic switch
        {
            PanicAction.Pause => "pause",
            PanicAction.Shutdown => "shutdown",
            PanicAction.ExitFailure => "exit-failure",
            _ => "none",
        };
        return vm.Try("set-action", $$"""{"shutdown": "pause", "reboot": "reset", "panic": "{{panic}}", "watchdog": "pause"}""");
    }

    private RunStateTrigger AskAsGuest(RunStateVm vm, IMachineControl guest, Random random)
    {
        switch (random.Next(4))
        {
            case 0 when _noShutdown:
                guest.RequestPowerOff();
                return RunStateTrigger.GuestOffKept;
            case 1 when _noShutdown || _panic is PanicAction.Pause or PanicAction.None:
                guest.RequestPanic(1);
                return _panic == PanicAction.None ? RunStateTrigger.GuestPanicRuns : RunStateTrigger.GuestPanicPauses;
            case 2:
                vm.Machine.StopOnDiskError();
                return RunStateTrigger.DiskError;
            default:
                guest.RequestReset();
                return _noReboot ? RunStateTrigger.GuestResetEnds : RunStateTrigger.GuestReset;
        }
    }

    private (string Error, List<string> Events) Apply(RunStateTrigger trigger)
    {
        RunStateRule rule = RunStateTable.Rule(_state, trigger);
        if (rule.Verdict != RunStateVerdict.Act)
            return (rule.Verdict == RunStateVerdict.Refuse ? rule.Text : "", []);
        if (rule.Target == RunStateTarget.Named)
            _state = rule.To;
        bool byGuest = trigger is RunStateTrigger.GuestReset;
        return ("", rule.Action switch
        {
            RunStateAction.StartVcpus => ["RESUME"],
            RunStateAction.StopVcpus => ["STOP"],
            RunStateAction.Reset => [byGuest ? "RESET True guest-reset" : "RESET False host-qmp-system-reset"],
            RunStateAction.PressPowerButton => ["POWERDOWN"],
            RunStateAction.KeepOff => ["SHUTDOWN True guest-shutdown", "STOP"],
            RunStateAction.PanicStop => ["GUEST_PANICKED pause", "STOP"],
            RunStateAction.PanicReport => ["GUEST_PANICKED run"],
            _ => [],
        });
    }
}
