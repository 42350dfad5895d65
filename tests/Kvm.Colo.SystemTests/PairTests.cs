using Kvm.Colo.Machine;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Kvm.Colo.SystemTests;

/// <summary>A protected guest in ordinary operation: the two sides are the same at every checkpoint.</summary>
[Trait("Category", "RequiresKvm")]
public class PairTests(ITestOutputHelper output)
{
    [KvmTheory]
    [InlineData("chain.elf", "report=20000 set=64", 1, 1000)]
    [InlineData("dirty.elf", "pages=200 set=400 tick=1 report=200", 1, 1000)]
    [InlineData("dirty.elf", "pages=32 set=100 tick=0 random=1 fill=1 report=200", 1, 500)]
    [InlineData("smp.elf", "loop=1 cpus=2", 2, 200)]
    public void Pair_IsTheSameOnBothSidesAtEveryTenthCheckpoint(string image, string append, int cpus, int checkpoints)
    {
        using TestPair pair = new(image, append, checkpointDelayMs: 0, cpus: cpus, verifyEvery: 10);
        pair.Protect();
        pair.WaitForEpoch((ulong)checkpoints);
        output.WriteLine($"{pair.Primary.Migration.Current!.Statistics.Counters}, {pair.StatesCompared} states compared");
        Assert.True(pair.StateDifference is null, pair.StateDifference);
        Assert.True(pair.StatesCompared >= checkpoints / 10, $"{pair.StatesCompared} states compared");
        foreach (TestMachine side in (TestMachine[])[pair.Primary, pair.Secondary])
        {
            Assert.DoesNotContain("BROKEN", side.Console.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("TRAP", side.Console.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("FAILED", side.Console.Text, StringComparison.Ordinal);
        }
    }

    [KvmFact]
    public void Pair_IsTheSameOnBothSidesAtEveryCheckpoint()
    {
        using TestPair pair = new("chain.elf", "report=20000 set=64", checkpointDelayMs: 0, memoryMiB: 8, verifyEvery: 1);
        pair.Protect();
        pair.WaitForEpoch(300);
        pair.Primary.Console.Said.WaitForMoreLines(2); // how soon the guest has reported something is the host's affair
        Assert.True(pair.StateDifference is null, pair.StateDifference);
        Assert.True(ChainVectors.For("report=20000 set=64").AssertUnbroken(pair.Primary.Console.Text) > 0);
    }

    [KvmFact]
    public void Pair_IsTheSameOnBothSides_AboveTheHole()
    {
        using TestPair pair = new("chain.elf", "report=20000 set=64 high=1", checkpointDelayMs: 0, memoryMiB: (3 << 10) + 8, verifyEvery: 40);
        pair.Protect();
        pair.WaitForEpoch(45);
        pair.Primary.Console.Said.WaitForMoreLines(2); // how soon the guest has reported something is the host's affair
        Assert.True(pair.StateDifference is null, pair.StateDifference);
        Assert.True(ChainVectors.For("report=20000 set=64").AssertUnbroken(pair.Primary.Console.Text) > 0);
    }

    [KvmFact]
    public void SecondaryConsole_ShowsWhatThePrimarySaidAndNoMore()
    {
        using TestPair pair = new("heartbeat.elf", "period=10", checkpointDelayMs: 5);
        pair.Protect();
        pair.Secondary.Console.Said.WaitForMoreLines(100);
        string committed = pair.Secondary.Console.Text;
        Assert.Contains(committed, pair.Primary.Console.Text, StringComparison.Ordinal);
        HeartbeatSequence.AssertUnbroken(committed, 10);
    }

    [KvmFact]
    public void TypedInput_IsAnsweredOnceByBothSides()
    {
        using TestPair pair = new("echo.elf", "", checkpointDelayMs: 5, verifyEvery: 10);
        pair.Primary.Machine.Start();
        pair.Primary.Console.WaitFor("echo ready");
        pair.Protect();
        string expected = "";
        for (int i = 0; i < 30; i++)
        {
            string line = $"line {i} {new string((char)('a' + (i % 26)), 20 * i)}";
            pair.Primary.Console.Type(line + "\r");
            expected += $"echo: {line}\r\n";
        }

        pair.Secondary.Console.WaitFor(expected.Split('\n')[^2] + '\n'); // an epoch may end anywhere in a line
        Assert.EndsWith(expected, pair.Primary.Console.Text, StringComparison.Ordinal);
        Assert.EndsWith(expected, pair.Secondary.Console.Text, StringComparison.Ordinal);
        Assert.True(pair.StateDifference is null, pair.StateDifference);
    }

    [KvmFact]
    public void StoppedGuest_StaysStoppedThroughCheckpointsOnBothSides()
    {
        using TestPair pair = new("chain.elf", "report=20000", checkpointDelayMs: 0, verifyEvery: 10);
        pair.Protect();
        pair.WaitForEpoch(20);
        pair.Primary.Machine.Stop();
        pair.WaitForEpoch(pair.Epoch + 50);
        Assert.Equal(RunState.Paused, pair.Primary.Settled());
        string said = pair.Primary.Console.Text;
        pair.WaitForEpoch(pair.Epoch + 50);
        Assert.Equal(said, pair.Primary.Console.Text);
        Assert.Equal(RunState.Paused, pair.Secondary.Settled());
        pair.Primary.Machine.Start();
        pair.Primary.Console.Said.WaitForMoreLines(3);
        pair.WaitForEpoch(pair.Epoch + 50);
        Assert.True(pair.StateDifference is null, pair.StateDifference);
        ChainVectors.For("report=20000").AssertUnbroken(pair.Primary.Console.Text);
    }

    [KvmFact]
    public void RebootingGuest_StaysProtected()
    {
        using TestPair pair = new("fault.elf", "how=kbd after=10", checkpointDelayMs: 0, verifyEvery: 10);
        pair.Protect();
        pair.WaitForEpoch(300);
        pair.Primary.Console.WaitFor(static text => text.Split("fault boot").Length > 10, "ten boots", seconds: 60);
        pair.WaitForEpoch(pair.Epoch + 2); // the one on its way may have been cut before them
        Assert.True(pair.StateDifference is null, pair.StateDifference);
        // The secondary reports what an epoch brought, not what its own guest did meanwhile; one epoch may bring several resets.
        Assert.InRange(Resets(pair.Secondary), 1, Resets(pair.Primary));
    }

    private static int Resets(TestMachine side) =>
        side.Recorder.Events.Count(static e => e.StartsWith("RESET", StringComparison.Ordinal));
}
