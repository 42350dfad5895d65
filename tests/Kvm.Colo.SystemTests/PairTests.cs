using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Kvm.Colo.SystemTests;

[Trait("Category", "RequiresKvm")]
public class PairTests(ITestOutputHelper output)
{
    [KvmTheory]
    [InlineData("chain.elf", "report=20000")]
    [InlineData("dirty.elf", "pages=200 set=400 tick=1 report=200")]
    public void Pair_TakesVerifiedCheckpoints(string image, string append)
    {
        using TestPair pair = new(image, append, checkpointDelayMs: 0);
        pair.Protect();
        pair.WaitForEpoch(1000);
        output.WriteLine($"{pair.Primary.Migration.Current!.Statistics.Counters}");
        Assert.True(pair.Epoch >= 1000, "the pair broke");
        Assert.DoesNotContain("BROKEN", pair.Primary.Console.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("BROKEN", pair.Secondary.Console.Text, StringComparison.Ordinal);
    }
}
