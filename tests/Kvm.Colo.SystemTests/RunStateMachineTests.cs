using Kvm.Colo.Devices;
using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Vcpus;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

[Trait("Category", "RequiresKvm")]
public class RunStateMachineTests
{
    [KvmTheory]
    [InlineData(nameof(PanicAction.Pause), false, nameof(RunState.GuestPanicked), "GUEST_PANICKED Pause", -1)]
    [InlineData(nameof(PanicAction.None), false, nameof(RunState.Running), "GUEST_PANICKED None", -1)]
    [InlineData(nameof(PanicAction.Shutdown), false, nameof(RunState.Shutdown), "GUEST_PANICKED Shutdown", 0)]
    [InlineData(nameof(PanicAction.Shutdown), true, nameof(RunState.GuestPanicked), "GUEST_PANICKED Pause", -1)]
    [InlineData(nameof(PanicAction.ExitFailure), false, nameof(RunState.Shutdown), "GUEST_PANICKED Shutdown", 1)]
    public void Panic_DoesWhatItsActionSays(string action, bool noShutdown, string state, string heard, int exitStatus)
    {
        using TestMachine vm = RunStateGuest.Create(config => config with { NoShutdown = noShutdown });
        vm.Machine.Panic = Enum.Parse<PanicAction>(action);
        vm.Boot();
        vm.Out(RunStateGuest.Pvpanic, 1);
        vm.Recorder.WaitFor(heard);
        vm.WaitForState(Enum.Parse<RunState>(state));
        if (exitStatus >= 0)
            Assert.Equal(new MachineEnd(exitStatus, ShutdownCause.GuestPanic), vm.WaitForEnd());
        else
            Assert.False(vm.Machine.Ended.IsCompleted);
    }

    [KvmFact]
    public void CrashLoaded_IsNoPanic()
    {
        using TestMachine vm = RunStateGuest.Create();
        vm.Boot();
        vm.Out(RunStateGuest.Pvpanic, 2);
        vm.WaitForCount('.', 1);
        Assert.Equal(RunState.Running, vm.Settled());
        Assert.Equal(["GUEST_CRASHLOADED"], vm.Recorder.Events);
    }

    [KvmTheory]
    [InlineData(nameof(RunState.Shutdown), "Resetting the Virtual Machine is required")]
    [InlineData(nameof(RunState.InternalError), "Resetting the Virtual Machine is required")]
    [InlineData(nameof(RunState.InMigrate), "Guest is waiting for an incoming migration")]
    public void Protect_IsRefused_WhereThereIsNothingToProtect(string state, string error)
    {
        using TestMachine vm = RunStateGuest.Create(config => config with { NoShutdown = true, IsIncoming = state == nameof(RunState.InMigrate) });
        if (state != nameof(RunState.InMigrate))
            vm.Boot();
        IMachineControl guest = vm.Machine;
        if (state == nameof(RunState.Shutdown))
            guest.RequestPowerOff();
        else if (state == nameof(RunState.InternalError))
            ((IVcpuHost)vm.Machine).OnInternalError(0, "told to fail");
        vm.WaitForState(Enum.Parse<RunState>(state));
        vm.Migration.Settings.Colo = true;
        MigrationUri nowhere = new(MigrationTransport.Unix, "/nowhere", 0);
        Assert.Equal(error, Assert.Throws<MigrationException>(() => vm.Migration.Migrate(nowhere)).Message);
        Assert.Equal(error, Assert.Throws<MigrationException>(() => vm.Migration.Protect(nowhere)).Message);
        Assert.Null(vm.Migration.Current);
        Assert.Equal(Enum.Parse<RunState>(state), vm.Settled());
    }

    [KvmFact]
    public void Protect_IsRefused_AfterTheMachineHasEnded()
    {
        using TestMachine vm = RunStateGuest.Create();
        vm.Machine.QuitAndWait(ShutdownCause.HostQmpQuit);
        MigrationException refusal = Assert.Throws<MigrationException>(() => vm.Migration.Protect(new(MigrationTransport.Unix, "/nowhere", 0)));
        Assert.Equal("The virtual machine has ended", refusal.Message);
    }

    [KvmFact]
    public void Powerdown_RaisesItsEvent_InAnyState()
    {
        using TestMachine vm = RunStateGuest.Create();
        vm.Machine.PowerDown();
        vm.Machine.Start();
        vm.Machine.PowerDown();
        Assert.Equal(["POWERDOWN", "POWERDOWN"], vm.Recorder.Events);
        Assert.Equal(RunState.Running, vm.Settled());
    }

    [KvmFact]
    public void Wakeup_IsRefused()
    {
        using TestMachine vm = RunStateGuest.Create();
        Assert.Equal("Unable to wake up: guest is not in suspended state", Assert.Throws<MachineCommandException>(vm.Machine.WakeUp).Message);
    }

    [KvmFact]
    public void AfterQuit_NothingRunsAgain()
    {
        using TestMachine vm = RunStateGuest.Create();
        vm.Machine.Start();
        vm.Machine.QuitAndWait(ShutdownCause.HostQmpQuit);
        vm.Machine.QuitAndWait(ShutdownCause.HostQmpQuit);
        Assert.Equal(RunState.Shutdown, vm.Settled());
        foreach (Action command in (Action[])[vm.Machine.Start, vm.Machine.Stop, vm.Machine.Reset, vm.Machine.PowerDown])
            Assert.Equal("The virtual machine has ended", Assert.Throws<MachineCommandException>(command).Message);
        Assert.Equal(["SHUTDOWN False HostQmpQuit"], vm.Recorder.Events);
    }

    [KvmFact]
    public void DiskError_StopsTheGuest_AndContGoesOn()
    {
        using TestMachine vm = RunStateGuest.Create();
        vm.Boot();
        vm.Machine.StopOnDiskError();
        vm.WaitForState(RunState.IoError);
        vm.Machine.StopOnDiskError();
        vm.Machine.Start();
        vm.Out(0x80, 1);
        vm.WaitForCount('.', 1);
    }

    // Whatever order the request and the stop come in, the reset happens exactly once and the stop stays.
    [KvmFact]
    public void GuestReset_AndStop_AtTheSameMoment_BothHappen()
    {
        using TestMachine vm = RunStateGuest.Create();
        for (int round = 1; round <= 200; round++)
        {
            vm.Machine.Start();
            vm.WaitForCount('B', round);
            vm.Out(RunStateGuest.Keyboard, RunStateGuest.PulseReset);
            for (int spin = 0; spin < round * 40; spin++)
                Thread.SpinWait(1);
            vm.Machine.Stop();
            Assert.Equal(RunState.Paused, vm.Settled());
            if (vm.CountEvents("RESET True GuestReset") < round)
            {
                vm.Machine.Start();
                vm.Recorder.WaitUntil(() => vm.CountEvents("RESET True GuestReset") >= round, "the reset");
            }
        }

        Assert.Equal(200, vm.CountEvents("RESET True GuestReset"));
    }

    [KvmFact]
    public void GuestThatAsksAMillionTimes_CostsNothing()
    {
        using TestMachine vm = RunStateGuest.Create();
        vm.Machine.Panic = PanicAction.None;
        vm.Machine.Start();
        IMachineControl control = vm.Machine;
        for (int i = 0; i < 1_000_000; i++)
            control.RequestPanic(1);
        vm.Machine.Stop();
        Assert.True(vm.CountEvents("GUEST_PANICKED") is > 0 and < 1_000_000);
    }
}
