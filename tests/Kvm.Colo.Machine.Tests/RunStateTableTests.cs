using Kvm.Colo.Machine;
using Xunit;

namespace Kvm.Colo.Machine.Tests;

public class RunStateTableTests
{
    // QEMU 10.2's legal edges, without those of states this machine never enters.
    private static readonly Dictionary<RunState, RunState[]> s_qemu = new()
    {
        [RunState.Prelaunch] = [RunState.Running, RunState.FinishMigrate, RunState.InMigrate],
        [RunState.InMigrate] =
        [
            RunState.Running, RunState.Paused, RunState.PostMigrate, RunState.Prelaunch, RunState.FinishMigrate, RunState.InternalError,
            RunState.IoError, RunState.Shutdown, RunState.Watchdog, RunState.GuestPanicked, RunState.Colo,
        ],
        [RunState.Running] =
        [
            RunState.Paused, RunState.InternalError, RunState.IoError, RunState.FinishMigrate, RunState.Shutdown, RunState.Watchdog,
            RunState.GuestPanicked, RunState.Colo,
        ],
        [RunState.Paused] = [RunState.Running, RunState.FinishMigrate, RunState.PostMigrate, RunState.Prelaunch, RunState.Colo],
        [RunState.IoError] = [RunState.Running, RunState.FinishMigrate, RunState.Prelaunch],
        [RunState.InternalError] = [RunState.Paused, RunState.FinishMigrate, RunState.Prelaunch],
        [RunState.Watchdog] = [RunState.Running, RunState.FinishMigrate, RunState.Prelaunch, RunState.Colo],
        [RunState.GuestPanicked] = [RunState.Running, RunState.FinishMigrate, RunState.Prelaunch],
        [RunState.Shutdown] = [RunState.Paused, RunState.FinishMigrate, RunState.Prelaunch, RunState.Colo],
        [RunState.FinishMigrate] =
        [
            RunState.Running, RunState.Paused, RunState.PostMigrate, RunState.Prelaunch, RunState.Colo, RunState.InternalError,
            RunState.IoError, RunState.Shutdown, RunState.Watchdog, RunState.GuestPanicked,
        ],
        [RunState.PostMigrate] = [RunState.Running, RunState.FinishMigrate, RunState.Prelaunch],
        [RunState.Colo] = [RunState.Running, RunState.Prelaunch, RunState.Shutdown],
    };

    public static TheoryData<string> Triggers => [.. Enum.GetNames<RunStateTrigger>()];

    [Theory]
    [MemberData(nameof(Triggers))]
    public void EveryPair_HasARule_AndATextWhereNothingHappens(string name)
    {
        RunStateTrigger trigger = Enum.Parse<RunStateTrigger>(name);
        Assert.NotEmpty(RunStateTexts.Of(trigger).Meaning);
        foreach (RunState state in RunStateNames.All)
        {
            RunStateRule rule = RunStateTable.Rule(state, trigger);
            if (rule.Verdict == RunStateVerdict.Act)
                Assert.NotEmpty(RunStateTexts.Of(rule.Action));
            else
                Assert.True(rule.Text.Length > 5, $"({state}, {trigger}) says nothing");
        }
    }

    [Fact]
    public void AbsentStates_AreNeverEntered()
    {
        foreach (RunState from in RunStateNames.All)
            Assert.DoesNotContain(RunStateTable.Absent.Keys, to => from != to && RunStateTable.HasEdge(from, to));
    }

    // What QEMU's table lacks is COLO's: a checkpoint interrupts every guest state and gives it back, and a secondary shows what arrives.
    [Fact]
    public void Edges_AreQemus_OrThoseOfCheckpoints()
    {
        foreach (RunState from in RunStateNames.All)
        {
            foreach (RunState to in RunStateNames.All.Where(to => to != from && RunStateTable.HasEdge(from, to)))
            {
                bool checkpoint = (to == RunState.Colo && RunStateTable.GuestStates.Contains(from))
                    || (from == RunState.Colo && RunStateTable.GuestStates.Contains(to));
                bool peerOff = to == RunState.Shutdown && RunStateTable.GuestStates.Contains(from);
                Assert.True(checkpoint || peerOff || s_qemu[from].Contains(to), $"{from.Name()} -> {to.Name()} is not QEMU's");
            }
        }
    }

    [Fact]
    public void Machine_MovesAlongEdges_AndRefusesTheRestUnchanged()
    {
        foreach (RunState from in RunStateNames.All)
        {
            foreach (RunState to in RunStateNames.All)
            {
                RunStateMachine machine = new(from);
                bool legal = from == to || RunStateTable.HasEdge(from, to);
                Assert.Equal(legal, machine.TryMove(to));
                Assert.Equal(legal ? to : from, machine.State);
                if (!legal)
                    Assert.Throws<RunStateException>(() => machine.Move(to));
            }
        }
    }

    [Fact]
    public void EveryArrow_HasItsPlaceInThePicture() => Assert.Empty(RunStatePicture.Missing);

    [Fact]
    public void EveryLiveState_HasAWayOut()
    {
        foreach (RunState from in RunStateNames.All.Where(static state => !RunStateTable.Absent.ContainsKey(state)))
            Assert.Contains(RunStateNames.All, to => to != from && RunStateTable.HasEdge(from, to));
    }
}
