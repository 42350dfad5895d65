using Xunit;

namespace Kvm.Colo.HostTests;

/// <summary>The longest scenario, on a host with one CPU: the faults of emulated hosts come of CPUs that interrupt each other.</summary>
[Collection("emulated hosts, one class at a time")]
public sealed class LinuxPairTests(OneCpuHostFixture host) : IClassFixture<OneCpuHostFixture>
{
    [TestbedFact]
    public void Pair_SurvivesItsPrimaryWithEveryCheckpointVerified() =>
        Assert.Contains("pair ok", host.Scenario(TimeSpan.FromSeconds(300), "pair", "cloud", "2", "200"), StringComparison.Ordinal);
}
