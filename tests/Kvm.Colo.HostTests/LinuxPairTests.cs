using Xunit;

namespace Kvm.Colo.HostTests;

/// <summary>The longest scenario.</summary>
public sealed class LinuxPairTests(OneHostFixture host) : IClassFixture<OneHostFixture>
{
    [TestbedFact]
    public void Pair_SurvivesItsPrimaryWithEveryCheckpointVerified() => host.Scenario(300, "pair", "cloud", "2", "200");
}
