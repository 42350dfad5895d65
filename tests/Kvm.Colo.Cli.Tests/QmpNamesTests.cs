using Kvm.Colo.Cli.Hosting;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Colo;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public class QmpNamesTests
{
    [Fact]
    public void ToQmp_KeepsEveryName()
    {
        Assert.All(Enum.GetValues<RunState>(), state => Assert.Equal(state.ToString(), state.ToQmp().ToString()));
        Assert.All(Enum.GetValues<MigrationStatus>(), status => Assert.Equal(status.ToString(), status.ToQmp().ToString()));
        Assert.All(Enum.GetValues<ShutdownCause>(), cause => Assert.Equal(cause.ToString(), cause.ToQmp().ToString()));
        Assert.All(Enum.GetValues<ColoMode>(), mode => Assert.Equal(mode.ToString(), mode.ToQmp().ToString()));
        Assert.All(Enum.GetValues<ColoExitReason>(), reason => Assert.Equal(reason.ToString(), reason.ToQmp().ToString()));
        Assert.All(Enum.GetValues<FailoverState>(), state => Assert.Equal(state.ToString(), state.ToQmp().ToString()));
    }
}
