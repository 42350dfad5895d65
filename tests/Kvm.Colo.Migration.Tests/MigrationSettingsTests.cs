using Xunit;

namespace Kvm.Colo.Migration.Tests;

public class MigrationSettingsTests
{
    [Fact]
    public void StepDeadline_GrowsWithTheWork_AndIsBounded()
    {
        MigrationSettings settings = new() { HeartbeatTimeoutMs = 1000 };
        Assert.Equal(TimeSpan.FromSeconds(4), settings.StepDeadlineFor(0));
        Assert.Equal(TimeSpan.FromSeconds(4 + 8), settings.StepDeadlineFor(1UL << 30));
        Assert.Equal(TimeSpan.FromSeconds(4 + 60), settings.StepDeadlineFor(1UL << 40));
        Assert.Equal(TimeSpan.FromSeconds(4 + 60), settings.StepDeadlineFor(ulong.MaxValue));
    }
}
