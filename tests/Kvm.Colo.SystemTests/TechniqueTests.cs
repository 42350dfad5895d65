using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Stream;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>Every technique that makes checkpoints cheap, on and off and together: RAM and state of both sides stay the same.</summary>
[Trait("Category", "RequiresKvm")]
public class TechniqueTests
{
    [Flags]
    public enum Techniques
    {
        None = 0,
        CopyAhead = 1,
        PageHashes = 2,
        Deltas = 4,
        KeepHotPages = 8,
        StrictPause = 16,
        PreSend = 32,
        InTime = 64,
        All = CopyAhead | PageHashes | Deltas | KeepHotPages | InTime,
    }

    [KvmTheory]
    [InlineData(Techniques.None)]
    [InlineData(Techniques.CopyAhead)]
    [InlineData(Techniques.PageHashes)]
    [InlineData(Techniques.Deltas)]
    [InlineData(Techniques.KeepHotPages)]
    [InlineData(Techniques.StrictPause)]
    [InlineData(Techniques.CopyAhead | Techniques.Deltas)]
    [InlineData(Techniques.PageHashes | Techniques.KeepHotPages)]
    [InlineData(Techniques.PageHashes | Techniques.Deltas | Techniques.KeepHotPages)]
    [InlineData(Techniques.PageHashes | Techniques.InTime)]
    [InlineData(Techniques.All)]
    [InlineData(Techniques.All | Techniques.StrictPause)]
    public void Pair_IsTheSame(Techniques techniques)
    {
        using TestPair pair = new("dirty.elf", "pages=1200 set=2000 tick=0 random=1 report=200", checkpointDelayMs: 0, verifyEvery: 5);
        Use(pair.Primary.Migration.Settings, techniques);
        Use(pair.Secondary.Migration.Settings, techniques);

        pair.Protect();
        pair.WaitForEpoch(60);

        Assert.True(pair.StateDifference is null, pair.StateDifference);
        Assert.DoesNotContain("BROKEN", pair.Secondary.Console.Text, StringComparison.Ordinal);
        EpochRecord last = pair.Primary.Migration.Current!.Statistics.Counters.Last;
        if (techniques.HasFlag(Techniques.StrictPause))
            Assert.True(last.Pause > last.Commit + last.Apply, $"{last}");
    }

    [KvmTheory]
    [InlineData("dirty.elf", "pages=60 set=2000 tick=2 report=200", Techniques.PreSend)]
    [InlineData("dirty.elf", "pages=60 set=2000 tick=2 report=200", Techniques.PreSend | Techniques.Deltas)]
    [InlineData("dirty.elf", "pages=60 set=2000 tick=2 random=1 fill=1 report=200", Techniques.PreSend | Techniques.PageHashes)]
    [InlineData("dirty.elf", "pages=60 set=2000 tick=2 random=1 report=200", Techniques.PreSend | Techniques.All)]
    [InlineData("dirty.elf", "pages=60 set=2000 tick=2 same=1 fill=1 report=200", Techniques.PreSend | Techniques.All)]
    [InlineData("dirty.elf", "pages=60 set=2000 tick=2 random=1 report=200", Techniques.PreSend | Techniques.All | Techniques.StrictPause)]
    [InlineData("chain.elf", "report=20000 set=600", Techniques.PreSend | Techniques.KeepHotPages)]
    [InlineData("chain.elf", "report=20000 set=600", Techniques.PreSend | Techniques.All)]
    public void PairThatSendsAhead_IsTheSameAtEveryCheckpoint(string image, string append, Techniques techniques)
    {
        using TestPair pair = new(image, append, checkpointDelayMs: 20, memoryMiB: 16, verifyEvery: 1);
        Use(pair.Primary.Migration.Settings, techniques);
        Use(pair.Secondary.Migration.Settings, techniques);

        pair.Protect();
        pair.WaitForEpoch(100);

        // How soon there is time between two checkpoints to send ahead is the host's affair.
        if (image == "dirty.elf") // a chain may write all of its pages in every interval, so that nothing settles
            pair.Primary.Recorder.WaitUntil(() => pair.Primary.Migration.Current!.Statistics.Counters.Ahead > 0, "a page sent ahead");
        Assert.True(pair.StateDifference is null, pair.StateDifference);
        foreach (TestMachine side in (TestMachine[])[pair.Primary, pair.Secondary])
            Assert.DoesNotContain("BROKEN", side.Console.Text, StringComparison.Ordinal);
    }

    [KvmTheory]
    [InlineData(Techniques.PageHashes | Techniques.InTime)]
    [InlineData(Techniques.All)]
    [InlineData(Techniques.All | Techniques.StrictPause)]
    [InlineData(Techniques.All | Techniques.PreSend)]
    public void GuestsInLockStep_HaveWrittenTheSame(Techniques techniques)
    {
        using TestPair pair = new("dirty.elf", "pages=300 tick=20 fill=1 report=200", checkpointDelayMs: 33, verifyEvery: 1);
        int cuts = 0;
        pair.Secondary.Recorder.ColoMessage = (sent, message) => cuts += !sent && message == ColoMessage.Cut ? 1 : 0;
        Use(pair.Primary.Migration.Settings, techniques);
        Use(pair.Secondary.Migration.Settings, techniques);

        pair.Protect();
        pair.WaitForEpoch(100);

        Assert.True(pair.StateDifference is null, pair.StateDifference);
        Assert.True(cuts > 10, $"{cuts} cuts");
        ColoCounters counters = pair.Primary.Migration.Current!.Statistics.Counters;

        // How often both guests are in step is the host's affair: on a busy one a pass is late on one side now and then.
        Assert.True(counters.Identical > 10 * 300, $"{counters}");
    }

    [KvmTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void PreSend_IsUsedOnlyIfBothEndsWantIt(bool primaryWants)
    {
        using TestPair pair = new("dirty.elf", "pages=60 set=2000 tick=2 report=200", checkpointDelayMs: 20, memoryMiB: 16, verifyEvery: 1);
        Use(pair.Primary.Migration.Settings, primaryWants ? Techniques.PreSend : Techniques.None);
        Use(pair.Secondary.Migration.Settings, primaryWants ? Techniques.None : Techniques.PreSend);
        pair.Protect();
        pair.WaitForEpoch(20);
        Assert.Equal(0ul, pair.Primary.Migration.Current!.Statistics.Counters.Ahead);
    }

    [KvmFact]
    public void LateEpochs_SlowTheGuestDownAndSaySo_UntilTheyAreInTime()
    {
        using TestPair pair = new("chain.elf", "report=5000", checkpointDelayMs: 1, verifyEvery: 10);
        MigrationSettings settings = pair.Primary.Migration.Settings;
        settings.CpuThrottle = (20, 10, 60);
        settings.CommitLimit = TimeSpan.FromTicks(1);
        pair.Protect();
        pair.WaitForEpoch(20);
        Assert.Equal(60, pair.Primary.Machine.Throttle.Percent);
        Assert.Contains(pair.Primary.Recorder.Events, static e => e.Contains("the guest is slowed by 20 %", StringComparison.Ordinal));

        settings.CommitLimit = TimeSpan.Zero;
        pair.WaitForEpoch(pair.Epoch + 20);

        Assert.Equal(0, pair.Primary.Machine.Throttle.Percent);
        Assert.Contains(pair.Primary.Recorder.Events, static e => e.Contains("keeps up again", StringComparison.Ordinal));
        Assert.True(pair.StateDifference is null, pair.StateDifference);
        pair.Primary.Console.Said.WaitForMoreLines(2);
        Assert.True(ChainVectors.For("report=5000").AssertUnbroken(pair.Primary.Console.Text) > 0);
    }

    private static void Use(MigrationSettings settings, Techniques techniques)
    {
        settings.CopyAhead = techniques.HasFlag(Techniques.CopyAhead);
        settings.PageHashes = techniques.HasFlag(Techniques.PageHashes);
        settings.DeltaCachePages = techniques.HasFlag(Techniques.Deltas) ? 4096 : 0;
        settings.KeepHotPages = techniques.HasFlag(Techniques.KeepHotPages);
        settings.StrictPause = techniques.HasFlag(Techniques.StrictPause);
        settings.PreSend = techniques.HasFlag(Techniques.PreSend);
        settings.InTime = techniques.HasFlag(Techniques.InTime);
        settings.PreSendMinPages = 0; // also where it brings nothing
    }
}
