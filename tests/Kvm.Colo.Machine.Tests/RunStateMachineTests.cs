using Xunit;

namespace Kvm.Colo.Machine.Tests;

public class RunStateMachineTests
{
    // QEMU 10.2's table, one line per state, by its names.
    private static readonly Dictionary<string, string> s_qemu = new(StringComparer.Ordinal)
    {
        ["prelaunch"] = "running finish-migrate inmigrate suspended",
        ["inmigrate"] = "running paused postmigrate prelaunch finish-migrate internal-error io-error shutdown suspended watchdog guest-panicked colo",
        ["running"] = "paused debug internal-error io-error finish-migrate restore-vm save-vm shutdown watchdog guest-panicked suspended colo",
        ["paused"] = "running finish-migrate postmigrate prelaunch colo suspended",
        ["suspended"] = "running finish-migrate prelaunch colo paused save-vm restore-vm shutdown",
        ["debug"] = "running finish-migrate prelaunch suspended",
        ["io-error"] = "running finish-migrate prelaunch",
        ["internal-error"] = "paused finish-migrate prelaunch",
        ["watchdog"] = "running finish-migrate prelaunch colo",
        ["guest-panicked"] = "running finish-migrate prelaunch",
        ["shutdown"] = "paused finish-migrate prelaunch colo",
        ["finish-migrate"] = "running paused postmigrate prelaunch colo internal-error io-error shutdown suspended watchdog guest-panicked",
        ["postmigrate"] = "running finish-migrate prelaunch",
        ["save-vm"] = "running suspended",
        ["restore-vm"] = "running prelaunch suspended",
        ["colo"] = "running prelaunch shutdown",
    };

    // Where we allow more: a checkpoint may interrupt any state that stands still and gives it back; a guest created stopped may be
    // paused or ended before it ever ran.
    private static readonly Dictionary<string, string> s_added = new(StringComparer.Ordinal)
    {
        ["prelaunch"] = "paused colo shutdown",
        ["debug"] = "colo",
        ["io-error"] = "colo",
        ["internal-error"] = "colo",
        ["guest-panicked"] = "colo",
        ["colo"] = "paused suspended io-error watchdog guest-panicked debug internal-error",
    };

    public static TheoryData<string, string, bool> AllPairs()
    {
        TheoryData<string, string, bool> pairs = [];
        foreach (RunState from in RunStateNames.All)
        {
            HashSet<string> legal = [.. s_qemu[from.Name()].Split(' '), .. s_added.GetValueOrDefault(from.Name(), "").Split(' ')];
            foreach (RunState to in RunStateNames.All)
                pairs.Add(from.Name(), to.Name(), legal.Contains(to.Name()));
        }

        return pairs;
    }

    [Theory]
    [MemberData(nameof(AllPairs))]
    public void TryMove_FollowsTheTable(string from, string to, bool legal)
    {
        RunStateMachine machine = new(Parse(from));
        bool moved = machine.TryMove(Parse(to));
        Assert.Equal(legal || from == to, moved);
        Assert.Equal(moved ? to : from, machine.State.Name());
    }

    [Fact]
    public void Move_ThrowsAndChangesNothing_WhenIllegal()
    {
        RunStateMachine machine = new(RunState.PostMigrate);
        RunStateException problem = Assert.Throws<RunStateException>(() => machine.Move(RunState.Colo));
        Assert.Equal((RunState.PostMigrate, RunState.Colo), (problem.From, problem.To));
        Assert.Equal(RunState.PostMigrate, machine.State);
    }

    [Theory]
    [InlineData(RunState.Running, true)]
    [InlineData(RunState.Suspended, true)]
    [InlineData(RunState.Paused, false)]
    [InlineData(RunState.Colo, false)]
    [InlineData(RunState.InMigrate, false)]
    internal void IsLive_IsQemus(RunState state, bool live) => Assert.Equal(live, new RunStateMachine(state).IsLive);

    [Fact]
    public void EveryStateHasQemusName()
    {
        Assert.Equal(s_qemu.Keys.Order(StringComparer.Ordinal), RunStateNames.All.Select(RunStateNames.Name).Order(StringComparer.Ordinal));
        foreach (RunState state in RunStateNames.All)
            Assert.Equal(state.Name(), System.Text.Encoding.ASCII.GetString(RunStateNames.Utf8(state)));
    }

    private static RunState Parse(string name) => RunStateNames.All.Single(state => state.Name() == name);
}
