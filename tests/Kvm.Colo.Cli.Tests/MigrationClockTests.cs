using Kvm.Colo.Cli.Hosting;
using Kvm.Colo.Migration;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public class MigrationClockTests
{
    [Fact]
    public void Total_StandsStillAfterTheEnd()
    {
        MigrationClock clock = new();
        Assert.Null(clock.Total);

        clock.OnStatus(MigrationStatus.Setup);
        Assert.Null(clock.Setup);
        clock.OnStatus(MigrationStatus.Active);
        clock.OnStatus(MigrationStatus.Completed);

        TimeSpan? total = clock.Total;
        Assert.NotNull(clock.Setup);
        Assert.True(total >= clock.Setup);
        Assert.Equal(total, clock.Total);
    }
}
