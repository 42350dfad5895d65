using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>The program as it is delivered: compiled in another way than its parts under test, so what they do not allocate it may.</summary>
[Trait("Category", "RequiresKvm")]
public sealed class ProductTests : IDisposable
{
    private const int WarmUp = 150;
    private const int Checkpoints = 400;

    private readonly string _folder = Directory.CreateTempSubdirectory("colo-product-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [KvmFact]
    public void PairOfProcesses_AllocatesNothingInItsPauses_AndOutlivesItsPrimary()
    {
        using ProductVm secondary = new("--incoming", "defer");
        using ProductVm primary = new("--kernel", TestImages.Path("dirty.elf"), "--append", "pages=300 set=600 tick=1 random=1 report=60000");
        string uri = $$"""{"uri": "unix:{{_folder}}/link"}""";
        ProductVm[] sides = [secondary, primary];
        foreach (ProductVm side in sides)
        {
            side.Client.Execute("migrate-set-capabilities", """{"capabilities": [{"capability": "x-colo", "state": true}]}""");
            side.Client.Execute("migrate-set-parameters", """{"x-checkpoint-delay": 2, "__org.colo-vm_heartbeat-timeout": 5000}""");
        }

        secondary.Client.Execute("migrate-incoming", uri);
        primary.Client.Execute("migrate", uri);
        long first = primary.WaitForEpoch(WarmUp);
        long[] before = [.. sides.Select(static side => side.Statistic("pause-allocated"))];
        primary.WaitForEpoch(first + Checkpoints);
        PauseAllocationTests.AssertNothing(sides.Select((side, i) => side.Statistic("pause-allocated") - before[i]), Checkpoints);

        primary.Kill();
        secondary.Client.WaitForEvent("__org.colo-vm_PEER_LOST");
        secondary.Client.Execute("x-colo-lost-heartbeat");
        while (secondary.Client.WaitForEvent("__org.colo-vm_FAILOVER").Data.GetProperty("state").GetString() != "completed")
        {
        }

        Assert.True(secondary.Client.Execute("query-status").GetProperty("running").GetBoolean());
    }
}
