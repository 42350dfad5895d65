using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>A pause allocates no managed memory on any thread that works in it.</summary>
[Trait("Category", "RequiresKvm")]
public class PauseAllocationTests
{
    private const ulong WarmUp = 150;
    private const ulong Checkpoints = 400;
    private const int SmallestObject = 24;

    [KvmTheory]
    [InlineData("dirty.elf", "pages=300 set=600 tick=1 random=1 report=60000", 1, 0)]
    [InlineData("dirty.elf", "pages=1200 set=2400 tick=0 report=60000", 1, 0)]
    [InlineData("idle.elf", "", 2, 0)]
    [InlineData("disk.elf", "set=256 tick=1 report=100000", 1, 1)]
    public void Pauses_AllocateNothing(string image, string append, int cpus, int diskMiB)
    {
        using TestPair pair = new(image, append, checkpointDelayMs: 1, cpus: cpus, verifyEvery: 0, diskMiB: diskMiB);
        pair.Protect();
        pair.WaitForEpoch(WarmUp);
        TestMachine[] sides = [pair.Primary, pair.Secondary];
        long[] allocated = [.. sides.Select(static side => side.Migration.PauseAllocatedBytes)];
        ulong first = pair.Epoch;

        pair.WaitForEpoch(first + Checkpoints);

        AssertNothing(sides.Select((side, i) => side.Migration.PauseAllocatedBytes - allocated[i]), (int)Checkpoints);
    }

    /// <summary>What each side has allocated in so many pauses: a table that grows now and then passes, the smallest object in every second pause does not.</summary>
    internal static void AssertNothing(IEnumerable<long> grown, int checkpoints) =>
        Assert.All(grown, bytes => Assert.InRange(bytes, 0, (long)checkpoints * SmallestObject / 2));
}
