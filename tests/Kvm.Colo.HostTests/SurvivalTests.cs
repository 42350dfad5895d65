using Xunit;

namespace Kvm.Colo.HostTests;

/// <summary>Guests that go on in another process, as the world around them sees it.</summary>
public sealed class SurvivalTests(OneHostFixture host) : IClassFixture<OneHostFixture>
{
    [TestbedFact]
    public void Survivor_IsAnnouncedToTheNetwork() => host.Scenario(150, "announce");

    [TestbedFact]
    public void Save_RestoresInTheMiddleOfDiskLoad() => host.Scenario(400, "save", "generic");

    [TestbedFact]
    public void Pair_EndsWithTheReason_WhenTheSecondarysDiskIsFull() => host.Scenario(200, "full");
}
