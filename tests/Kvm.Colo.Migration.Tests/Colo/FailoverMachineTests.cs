using Kvm.Colo.Migration.Colo;
using Xunit;

namespace Kvm.Colo.Migration.Tests.Colo;

public class FailoverMachineTests
{
    // (state, is an epoch being loaded, trigger) -> (answer, state). "-" has no answer.
    [Theory]
    [InlineData("None", false, "request", "true", "Require")]
    [InlineData("None", false, "begin", "false", "None")]
    [InlineData("None", false, "begin-load", "true", "None")]
    [InlineData("None", false, "end-load", "-", "None")]
    [InlineData("None", false, "complete", "false", "None")]
    [InlineData("None", true, "request", "true", "Require")]
    [InlineData("None", true, "begin", "false", "None")]
    [InlineData("None", true, "end-load", "-", "None")]
    [InlineData("None", true, "complete", "false", "None")]
    [InlineData("Require", false, "request", "false", "Require")]
    [InlineData("Require", false, "begin", "true", "Active")]
    [InlineData("Require", false, "begin-load", "true", "Require")]
    [InlineData("Require", false, "end-load", "-", "Require")]
    [InlineData("Require", false, "complete", "false", "Require")]
    [InlineData("Require", true, "request", "false", "Require")]
    [InlineData("Require", true, "begin", "false", "Relaunch")]
    [InlineData("Require", true, "end-load", "-", "Require")]
    [InlineData("Require", true, "complete", "false", "Require")]
    [InlineData("Active", false, "request", "false", "Active")]
    [InlineData("Active", false, "begin", "false", "Active")]
    [InlineData("Active", false, "begin-load", "false", "Active")]
    [InlineData("Active", false, "end-load", "-", "Active")]
    [InlineData("Active", false, "complete", "true", "Completed")]
    [InlineData("Completed", false, "request", "false", "Completed")]
    [InlineData("Completed", false, "begin", "false", "Completed")]
    [InlineData("Completed", false, "begin-load", "false", "Completed")]
    [InlineData("Completed", false, "end-load", "-", "Completed")]
    [InlineData("Completed", false, "complete", "false", "Completed")]
    [InlineData("Relaunch", true, "request", "false", "Relaunch")]
    [InlineData("Relaunch", true, "begin", "false", "Relaunch")]
    [InlineData("Relaunch", true, "end-load", "-", "Require")]
    [InlineData("Relaunch", true, "complete", "false", "Relaunch")]
    public void Triggers_FollowTheTable(string state, bool loading, string trigger, string answer, string next)
    {
        FailoverMachine machine = Reach(state, loading);
        Assert.Equal(answer, Apply(machine, trigger));
        Assert.Equal(next, machine.State.ToString());
        Assert.Equal(next is "Require" or "Active" or "Relaunch", machine.IsPending);
    }

    [Fact]
    public void Relaunch_TakesPlaceOnceTheEpochIsLoaded()
    {
        FailoverMachine machine = Reach("Relaunch", loading: true);
        machine.EndLoad();
        Assert.True(machine.TryBegin());
        Assert.True(machine.TryComplete());
    }

    [Fact]
    public void Reason_IsTheFirstCause()
    {
        FailoverMachine machine = new();
        Assert.Equal(ColoExitReason.None, machine.Reason);
        machine.TryRequest();
        machine.MarkBroken();
        Assert.Equal(ColoExitReason.Request, machine.Reason);

        FailoverMachine broken = new();
        broken.MarkBroken();
        Assert.Equal(ColoExitReason.Error, broken.Reason);
        broken.TryRequest();
        Assert.Equal(ColoExitReason.Error, broken.Reason);
    }

    private static string Apply(FailoverMachine machine, string trigger)
    {
        switch (trigger)
        {
            case "request":
                return machine.TryRequest() ? "true" : "false";
            case "begin":
                return machine.TryBegin() ? "true" : "false";
            case "begin-load":
                return machine.TryBeginLoad() ? "true" : "false";
            case "complete":
                return machine.TryComplete() ? "true" : "false";
            default:
                machine.EndLoad();
                return "-";
        }
    }

    private static FailoverMachine Reach(string state, bool loading)
    {
        FailoverMachine machine = new();
        if (loading)
            machine.TryBeginLoad();
        if (state is not "None")
            machine.TryRequest();
        if (state is "Active" or "Completed" or "Relaunch")
            machine.TryBegin();
        if (state is "Completed")
            machine.TryComplete();
        Assert.Equal(state, machine.State.ToString());
        return machine;
    }
}
