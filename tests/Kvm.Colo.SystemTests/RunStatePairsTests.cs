using Kvm.Colo.Devices;
using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Vcpus;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>
/// Every state a machine can rest in, met by every trigger that comes from outside: a real machine does what the row of the table says,
/// to the state, the events and the error. The states inside a pause are <see cref="RunStateColoTests"/>'.
/// </summary>
[Trait("Category", "RequiresKvm")]
public class RunStatePairsTests
{
    private static readonly MigrationUri s_nowhere = new(MigrationTransport.Unix, "/nowhere", 0);

    private static readonly Dictionary<RunStateTrigger, Action<TestMachine>> s_triggers = new()
    {
        [RunStateTrigger.Stop] = static vm => vm.Machine.Stop(),
        [RunStateTrigger.Cont] = static vm => vm.Machine.Start(),
        [RunStateTrigger.SystemReset] = static vm => vm.Machine.Reset(),
        [RunStateTrigger.SystemPowerdown] = static vm => vm.Machine.PowerDown(),
        [RunStateTrigger.SystemWakeup] = static vm => vm.Machine.WakeUp(),
        [RunStateTrigger.Quit] = static vm => vm.Machine.QuitAndWait(ShutdownCause.HostQmpQuit),
        [RunStateTrigger.HostSignal] = static vm => vm.Machine.QuitAndWait(ShutdownCause.HostSignal),
        [RunStateTrigger.HostError] = static vm => vm.Machine.QuitAndWait(ShutdownCause.HostError),
        [RunStateTrigger.GuestReset] = static vm => ((IMachineControl)vm.Machine).RequestReset(),
        [RunStateTrigger.GuestResetEnds] = static vm =>
        {
            vm.Machine.NoReboot = true;
            ((IMachineControl)vm.Machine).RequestReset();
        },
        [RunStateTrigger.GuestOff] = static vm =>
        {
            vm.Machine.NoShutdown = false;
            ((IMachineControl)vm.Machine).RequestPowerOff();
        },
        [RunStateTrigger.GuestOffKept] = static vm => ((IMachineControl)vm.Machine).RequestPowerOff(),
        [RunStateTrigger.GuestPanicPauses] = static vm => Panic(vm, PanicAction.Pause),
        [RunStateTrigger.GuestPanicEnds] = static vm => Panic(vm, PanicAction.Shutdown),
        [RunStateTrigger.GuestPanicRuns] = static vm => Panic(vm, PanicAction.None),
        [RunStateTrigger.GuestCrashLoaded] = static vm => ((IMachineControl)vm.Machine).RequestPanic(2),
        [RunStateTrigger.GuestFailure] = static vm => ((IVcpuHost)vm.Machine).OnInternalError(0, "told to fail"),
        [RunStateTrigger.DiskError] = static vm => vm.Machine.StopOnDiskError(),
        [RunStateTrigger.MigrateCancel] = static vm => vm.Migration.Cancel(),
        [RunStateTrigger.Protect] = static vm => Refused(vm, RunStateTrigger.Protect),
        [RunStateTrigger.Migrate] = static vm => Refused(vm, RunStateTrigger.Migrate),
        [RunStateTrigger.FailoverRequest] = static vm => vm.Migration.LostHeartbeat(),
        [RunStateTrigger.LinkLoss] = static vm => vm.Migration.Current?.Yank(),
    };

    public static TheoryData<string> States =>
    [
        nameof(RunState.Prelaunch), nameof(RunState.Running), nameof(RunState.Paused), nameof(RunState.IoError), nameof(RunState.GuestPanicked),
        nameof(RunState.InternalError), nameof(RunState.Shutdown), nameof(RunState.InMigrate), nameof(RunState.PostMigrate),
    ];

    [KvmTheory]
    [MemberData(nameof(States))]
    public void EveryTrigger_DoesWhatTheTableSays(string name)
    {
        RunState state = Enum.Parse<RunState>(name);
        foreach ((RunStateTrigger trigger, Action<TestMachine> pull) in s_triggers)
        {
            using TestMachine vm = Bring(state);
            string pair = $"({name}, {trigger})";
            int heard = vm.Recorder.Events.Length;
            int stops = vm.Recorder.CountOf("STOP");
            int resumes = vm.Recorder.CountOf("RESUME");
            string error = Pull(vm, pull);
            vm.Machine.Synchronize();
            vm.Machine.Synchronize();
            RunStateRule rule = RunStateTable.Rule(state, trigger);
            bool isHeardByMigration = trigger is RunStateTrigger.FailoverRequest;
            if (!isHeardByMigration)
                Assert.True(error == (rule.Verdict == RunStateVerdict.Refuse ? rule.Text : ""), $"{pair}: '{error}'");
            RunState expected = rule is { Verdict: RunStateVerdict.Act, Target: RunStateTarget.Named } ? rule.To : state;
            Assert.True(expected == vm.Machine.State, $"{pair}: {vm.Machine.State}, not {expected}");
            (string[] events, int stopped, int resumed) = Expected(rule, trigger);
            Assert.True(events.SequenceEqual(vm.Recorder.Events.Skip(heard)), $"{pair}: {string.Join(", ", vm.Recorder.Events.Skip(heard))}");
            Assert.True(stops + stopped == vm.Recorder.CountOf("STOP"), $"{pair}: STOP");
            Assert.True(resumes + resumed == vm.Recorder.CountOf("RESUME"), $"{pair}: RESUME");
            bool ends = rule is { Verdict: RunStateVerdict.Act, Action: RunStateAction.End or RunStateAction.PanicEnd };
            Assert.True(ends == vm.Machine.Ended.IsCompleted, $"{pair}: ended {vm.Machine.Ended.IsCompleted}");
        }
    }

    private static void Panic(TestMachine vm, PanicAction action)
    {
        vm.Machine.NoShutdown = false;
        vm.Machine.Panic = action;
        ((IMachineControl)vm.Machine).RequestPanic(1);
    }

    // Where it is allowed a migration would begin, which is not this test's.
    private static void Refused(TestMachine vm, RunStateTrigger trigger)
    {
        if (vm.Machine.RefusalOf(trigger) is null)
            return;
        vm.Migration.Settings.Colo = trigger == RunStateTrigger.Protect;
        vm.Migration.Migrate(s_nowhere);
    }

    private static string Pull(TestMachine vm, Action<TestMachine> pull)
    {
        try
        {
            pull(vm);
            return "";
        }
        catch (Exception e) when (e is MachineCommandException or MigrationException)
        {
            return e.Message;
        }
    }

    private static TestMachine Bring(RunState state)
    {
        TestMachine vm = RunStateGuest.Create(config => config with { NoShutdown = true, IsIncoming = state == RunState.InMigrate });
        if (state is not (RunState.Prelaunch or RunState.InMigrate))
            vm.Boot();
        switch (state)
        {
            case RunState.Paused:
                vm.Machine.Stop();
                break;
            case RunState.IoError:
                vm.Machine.StopOnDiskError();
                break;
            case RunState.GuestPanicked:
                ((IMachineControl)vm.Machine).RequestPanic(1);
                break;
            case RunState.InternalError:
                ((IVcpuHost)vm.Machine).OnInternalError(0, "told to fail");
                break;
            case RunState.Shutdown:
                ((IMachineControl)vm.Machine).RequestPowerOff();
                break;
            case RunState.PostMigrate:
                SendAway(vm);
                break;
        }

        vm.WaitForState(state);
        return vm;
    }

    private static void SendAway(TestMachine vm)
    {
        string folder = Directory.CreateTempSubdirectory("colo-pairs-").FullName;
        try
        {
            using TestMachine other = RunStateGuest.Create(static config => config with { IsIncoming = true });
            MigrationUri uri = new(MigrationTransport.Unix, Path.Combine(folder, "link"), 0);
            other.Migration.Listen(uri, keepListening: false);
            vm.Migration.Migrate(uri);
            vm.Recorder.WaitFor($"MIGRATION {MigrationStatus.Completed}");
            other.Recorder.WaitFor($"MIGRATION {MigrationStatus.Completed}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (string[] Events, int Stops, int Resumes) Expected(RunStateRule rule, RunStateTrigger trigger)
    {
        if (rule.Verdict != RunStateVerdict.Act)
            return ([], 0, 0);
        return rule.Action switch
        {
            RunStateAction.StartVcpus => ([], 0, 1),
            RunStateAction.StopVcpus => ([], 1, 0),
            RunStateAction.Reset => ([trigger == RunStateTrigger.GuestReset ? "RESET True GuestReset" : "RESET False HostQmpSystemReset"], 0, 0),
            RunStateAction.PressPowerButton => (["POWERDOWN"], 0, 0),
            RunStateAction.KeepOff => (["SHUTDOWN True GuestShutdown"], 1, 0),
            RunStateAction.PanicStop => (["GUEST_PANICKED Pause"], 1, 0),
            RunStateAction.PanicEnd => (["GUEST_PANICKED Shutdown", "SHUTDOWN True GuestPanic"], 0, 0),
            RunStateAction.PanicReport => (["GUEST_PANICKED None"], 0, 0),
            RunStateAction.CrashReport => (["GUEST_CRASHLOADED"], 0, 0),
            RunStateAction.End => ([trigger switch
            {
                RunStateTrigger.GuestOff => "SHUTDOWN True GuestShutdown",
                RunStateTrigger.GuestResetEnds => "SHUTDOWN True GuestReset",
                RunStateTrigger.Quit => "SHUTDOWN False HostQmpQuit",
                RunStateTrigger.HostSignal => "SHUTDOWN False HostSignal",
                _ => "SHUTDOWN False HostError",
            }], 0, 0),
            _ => ([], 0, 0),
        };
    }
}
