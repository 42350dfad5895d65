using Xunit;

namespace Kvm.Colo.HostTests;

/// <summary>A pair on two emulated hosts, one of which loses its power. It takes both of this machine's processors.</summary>
[Collection(Alone)]
[CollectionDefinition(Alone, DisableParallelization = true)]
public sealed class TwoHostsTests
{
    private const string Alone = "two hosts, alone";

    private static readonly TimeSpan s_deadline = TimeSpan.FromMinutes(12);

    [TestbedFact]
    public void Secondary_GoesOn_WhenThePrimarysHostLosesItsPower()
    {
        string output = HostFaults.Outlive(
            static () =>
            {
                using Testbed testbed = new("two", hosts: 2);
                using CutOnSignal cut = new(testbed);
                string output = testbed.Run(2, s_deadline, "tests/Kvm.Colo.HostTests/scenarios/secondary-here", cut.Mark);
                Assert.True(cut.WasCut, "the power was not cut");
                return output;
            },
            static () => { });

        Assert.Contains("secondary ok", output, StringComparison.Ordinal);
    }
}
