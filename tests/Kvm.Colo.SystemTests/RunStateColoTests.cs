using Kvm.Colo.Devices;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>The holes of QEMU's COLO run states, each closed here: on two real machines with verified checkpoints back to back.</summary>
[Trait("Category", "RequiresKvm")]
public class RunStateColoTests
{
    [KvmFact]
    public void Stop_StaysStopped_OnBothSides_UntilCont()
    {
        using RunStatePair pair = new();
        pair.Primary.Machine.Stop();
        pair.WaitForState(RunState.Paused);
        int resumes = pair.Primary.Recorder.CountOf("RESUME");
        pair.WaitForEpochs(20);
        Assert.Equal(RunState.Paused, pair.Primary.Settled());
        Assert.Equal(RunState.Paused, pair.Secondary.Settled());
        Assert.Equal(resumes, pair.Primary.Recorder.CountOf("RESUME"));
        pair.Primary.Machine.Start();
        pair.WaitForState(RunState.Running);
        Answers(pair.Primary);
        pair.WaitForEpochs(5);
    }

    [KvmFact]
    public void SystemReset_ArrivesAsAReset()
    {
        using RunStatePair pair = new();
        pair.Primary.Machine.Reset();
        foreach (TestMachine side in pair.Sides)
        {
            side.Recorder.WaitFor("RESET False HostQmpSystemReset");
            side.WaitForCount('B', side == pair.Primary ? 2 : 1); // the first was said before the pair was formed
        }

        pair.WaitForEpochs(5);
        Assert.Equal(1, pair.Secondary.CountEvents("RESET"));
    }

    [KvmFact]
    public void StopThenReset_IsPrelaunchOnBothSides_AndContBootsAnew()
    {
        using RunStatePair pair = new();
        pair.Primary.Machine.Stop();
        pair.Primary.Machine.Reset();
        pair.WaitForState(RunState.Prelaunch);
        pair.WaitForEpochs(20);
        pair.Primary.Machine.Start();
        pair.WaitForState(RunState.Running);
        pair.Secondary.WaitForCount('B', 1);
        Answers(pair.Primary);
    }

    [KvmFact]
    public void GuestReset_ArrivesAsAReset()
    {
        using RunStatePair pair = new();
        pair.Primary.Out(RunStateGuest.Keyboard, RunStateGuest.PulseReset);
        foreach (TestMachine side in pair.Sides)
        {
            side.Recorder.WaitFor("RESET True GuestReset");
            side.WaitForCount('B', side == pair.Primary ? 2 : 1); // the first was said before the pair was formed
        }
    }

    [KvmTheory]
    [InlineData(RunStateGuest.DebugExit, 5, 11)]
    [InlineData(RunStateGuest.AcpiSleep, RunStateGuest.SleepOff, 0)]
    public void GuestShutdown_EndsBothSidesAlike(int port, int value, int exitStatus)
    {
        for (int round = 0; round < 10; round++)
        {
            using RunStatePair pair = new();
            pair.Primary.Out((ushort)port, (byte)value);
            EndsAlike(pair, new MachineEnd(exitStatus, ShutdownCause.GuestShutdown), "SHUTDOWN True GuestShutdown");
        }
    }

    [KvmFact]
    public void GuestReset_WithNoReboot_EndsBothSides()
    {
        using RunStatePair pair = new(static config => config with { NoReboot = true });
        pair.Primary.Out(RunStateGuest.Keyboard, RunStateGuest.PulseReset);
        EndsAlike(pair, new MachineEnd(0, ShutdownCause.GuestReset), "SHUTDOWN True GuestReset");
    }

    [KvmFact]
    public void GuestShutdown_WithNoShutdown_KeepsBothOff_UntilResetAndCont()
    {
        using RunStatePair pair = new(static config => config with { NoShutdown = true });
        pair.Primary.Out(RunStateGuest.DebugExit, 5);
        pair.WaitForState(RunState.Shutdown);
        pair.WaitForEpochs(20);
        foreach (TestMachine side in pair.Sides)
        {
            Assert.Equal(1, side.CountEvents("SHUTDOWN True GuestShutdown"));
            Assert.False(side.Machine.Ended.IsCompleted);
        }

        Assert.Equal("Resetting the Virtual Machine is required", Refused(pair.Primary.Machine.Start));
        Assert.Equal("Resetting the Virtual Machine is required", Refused(pair.Secondary.Machine.Start));
        pair.Primary.Machine.Reset();
        pair.WaitForState(RunState.Prelaunch);
        pair.Primary.Machine.Start();
        pair.WaitForState(RunState.Running);
        Answers(pair.Primary);
    }

    [KvmFact]
    public void Panic_Paused_ArrivesAsAPanic_AndContGoesOn()
    {
        using RunStatePair pair = new(static config => config with { Panic = PanicAction.Pause });
        pair.Primary.Out(RunStateGuest.Pvpanic, 1);
        pair.WaitForState(RunState.GuestPanicked);
        pair.WaitForEpochs(20);
        foreach (TestMachine side in pair.Sides)
            Assert.Equal(1, side.CountEvents("GUEST_PANICKED Pause"));
        pair.Primary.Machine.Start();
        pair.WaitForState(RunState.Running);
        Answers(pair.Primary);
    }

    [KvmTheory]
    [InlineData(nameof(PanicAction.Shutdown), 0)]
    [InlineData(nameof(PanicAction.ExitFailure), 1)]
    public void Panic_EndsBothSides(string action, int exitStatus)
    {
        using RunStatePair pair = new(config => config with { Panic = Enum.Parse<PanicAction>(action) });
        pair.Primary.Out(RunStateGuest.Pvpanic, 1);
        EndsAlike(pair, new MachineEnd(exitStatus, ShutdownCause.GuestPanic), "SHUTDOWN True GuestPanic");
        foreach (TestMachine side in pair.Sides)
            Assert.Equal(1, side.CountEvents("GUEST_PANICKED"));
    }

    [KvmFact]
    public void QuitOfThePrimary_IsNoCrash_AndTheGuestCanGoOn()
    {
        using RunStatePair pair = new();
        pair.Primary.Machine.QuitAndWait(ShutdownCause.HostQmpQuit);
        Assert.Equal(["SHUTDOWN False HostQmpQuit"], pair.Primary.Recorder.Events.Where(static e => e.StartsWith("SHUTDOWN", StringComparison.Ordinal)));
        pair.Secondary.Recorder.WaitFor("COLO_EXIT Secondary Request");
        pair.Primary.Recorder.WaitFor("COLO_EXIT Primary Request");
        Assert.False(pair.Secondary.Machine.Ended.IsCompleted);
        Assert.Equal(RunState.Running, pair.Secondary.Settled());
        pair.Secondary.Migration.LostHeartbeat();
        pair.Secondary.Recorder.WaitFor($"MIGRATION {MigrationStatus.Completed}");
        Answers(pair.Secondary);
        Assert.Equal(1, pair.Secondary.CountEvents("COLO_EXIT"));
    }

    [KvmFact]
    public void QuitOfTheSecondary_IsNoCrash_AndTheGuestGoesOn()
    {
        using RunStatePair pair = new();
        pair.Secondary.Machine.QuitAndWait(ShutdownCause.HostQmpQuit);
        pair.Primary.Recorder.WaitFor("COLO_EXIT Primary Request");
        pair.Secondary.Recorder.WaitFor("COLO_EXIT Secondary Request");
        Assert.Equal(RunState.Running, pair.Primary.Settled());
        Answers(pair.Primary);
        pair.Primary.Migration.LostHeartbeat();
        pair.Primary.Recorder.WaitFor($"MIGRATION {MigrationStatus.Completed}");
        Answers(pair.Primary);
        Assert.Equal(0, pair.Primary.CountEvents("COLO_EXIT Primary Error"));
    }

    [KvmFact]
    public void Secondary_HoldsWhenToldToStop_AcrossEpochs()
    {
        using RunStatePair pair = new();
        pair.Secondary.Machine.Stop();
        pair.WaitForEpochs(20);
        Assert.Equal(RunState.Paused, pair.Secondary.Settled());
        Assert.Equal(RunState.Running, pair.Primary.Settled());
        pair.Secondary.Machine.Start();
        Assert.Equal(RunState.Running, pair.Secondary.Settled());
        Assert.StartsWith("The guest is a COLO secondary's", Refused(pair.Secondary.Machine.Reset), StringComparison.Ordinal);
        Assert.StartsWith("The guest is a COLO secondary's", Refused(pair.Secondary.Machine.PowerDown), StringComparison.Ordinal);
        pair.Primary.Machine.Stop();
        pair.WaitForState(RunState.Paused);
        pair.Secondary.Machine.Start();
        Assert.Equal(RunState.Paused, pair.Secondary.Settled());
    }

    [KvmFact]
    public void CommandsAmongCheckpoints_NeverMeetAPause()
    {
        using TestPair pair = new("chain.elf", "report=20000", checkpointDelayMs: 0);
        pair.Protect();
        Random random = new(1);
        for (int i = 0; i < 3000; i++)
        {
            switch (random.Next(4))
            {
                case 0:
                    pair.Primary.Machine.Stop();
                    Assert.Equal(RunState.Paused, pair.Primary.Settled());
                    break;
                case 1:
                    pair.Secondary.Machine.Stop();
                    break;
                case 2:
                    pair.Secondary.Machine.Start();
                    break;
                default:
                    pair.Primary.Machine.Start();
                    Assert.Equal(RunState.Running, pair.Primary.Settled());
                    break;
            }
        }

        pair.Primary.Machine.Start();
        pair.Secondary.Machine.Start();
        pair.WaitForEpoch(pair.Epoch + 50);
        pair.Secondary.WaitForState(RunState.Running);
        Assert.Equal(0, pair.Secondary.CountEvents("COLO_EXIT"));
        Assert.DoesNotContain("BROKEN", pair.Primary.Console.Text, StringComparison.Ordinal);
    }

    [KvmFact]
    public void MigrateAndCancel_AreRefused_AndChangeNothing()
    {
        using RunStatePair pair = new();
        Assert.Equal("There's a migration process in progress", RefusedMigration(() => pair.Primary.Migration.Migrate(new(Migration.Links.MigrationTransport.Unix, "/nowhere", 0))));
        Assert.Equal("COLO is running: end it with x-colo-lost-heartbeat", RefusedMigration(pair.Primary.Migration.Cancel));
        pair.Secondary.Migration.Cancel();
        pair.WaitForEpochs(20);
        Assert.Equal(0, pair.Secondary.CountEvents("COLO_EXIT"));
    }

    [KvmFact]
    public void WhatASecondarysGuestAsksFor_HappensAtFailover_NotBefore()
    {
        using RunStatePair pair = new(checkpointDelayMs: 600_000);
        pair.Primary.Migration.Current!.Yank();
        pair.Secondary.Recorder.WaitFor("COLO_EXIT Secondary Error");
        IMachineControl guest = pair.Secondary.Machine;
        guest.RequestPanic(1);
        guest.RequestReset();
        pair.Secondary.Machine.Synchronize();
        Assert.Equal(0, pair.Secondary.CountEvents("RESET") + pair.Secondary.CountEvents("GUEST_PANICKED"));
        pair.Secondary.Machine.Panic = PanicAction.None;
        pair.Secondary.Migration.LostHeartbeat();
        pair.Secondary.Recorder.WaitFor("RESET True GuestReset");
        pair.Secondary.WaitForCount('B', 1);
        Assert.Equal(1, pair.Secondary.CountEvents("GUEST_PANICKED None"));
        Answers(pair.Secondary);
    }

    private static void Answers(TestMachine vm)
    {
        int before = vm.Console.Text.Count(static c => c == '.');
        vm.Out(0x80, 1);
        vm.WaitForCount('.', before + 1);
    }

    private static void EndsAlike(RunStatePair pair, MachineEnd end, string shutdown)
    {
        foreach (TestMachine side in pair.Sides)
        {
            Assert.Equal(end, side.WaitForEnd());
            side.Recorder.WaitFor("COLO_EXIT");
            Assert.Equal([shutdown], side.Recorder.Events.Where(static e => e.StartsWith("SHUTDOWN", StringComparison.Ordinal)));
            Assert.True(side.CountEvents("COLO_EXIT") == 1 && side.Recorder.Events.Any(static e => e.EndsWith(" Request", StringComparison.Ordinal)), pair.Seen);
        }
    }

    private static string Refused(Action command) => Assert.Throws<MachineCommandException>(command).Message;

    private static string RefusedMigration(Action command) => Assert.Throws<MigrationException>(command).Message;
}
