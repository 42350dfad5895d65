using System.Globalization;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Kvm.Colo.SystemTests;

/// <summary>A link or a secondary that is slower than the guest: the guest is slowed down, nothing grows, and nobody is taken for dead.</summary>
[Trait("Category", "RequiresKvm")]
public class KeepUpTests(ITestOutputHelper output)
{
    // Rewrites 4 MiB again and again, differently on both sides: nothing is saved by hashes or deltas.
    private const string Load = "pages=1000 set=1000 tick=0 fill=1 random=1 report=60000";

    [KvmFact]
    public void SlowLink_SlowsTheGuestDown_UntilTheLoadEnds()
    {
        using TestPair pair = new("dirty.elf", Load, checkpointDelayMs: 10, verifyEvery: 10);
        using SlowRelay relay = new(pair.Uri);
        MigrationSettings settings = pair.Primary.Migration.Settings;
        settings.CommitLimit = TimeSpan.FromMilliseconds(100);
        pair.Protect(relay.Uri);
        relay.BytesPerSecond = 16 << 20;
        Primary(pair).WaitUntil(() => pair.Primary.Machine.Throttle.Percent >= 60, "60 % throttle", seconds: 60);
        Assert.Equal(pair.Primary.Machine.Throttle.Percent, pair.Primary.Migration.Current!.ThrottlePercent);

        // It goes on like that: epochs commit, and neither they nor the process grow, once a verification has read all RAM.
        pair.WaitForEpoch(21);
        long before = ResidentBytes();
        pair.WaitForEpoch(pair.Epoch + 30);
        long growth = ResidentBytes() - before;
        Assert.InRange(growth, long.MinValue, 48 << 20);
        EpochRecord[] recent = pair.Primary.Migration.Current!.Statistics.Recent();
        Assert.All(recent, static epoch => Assert.InRange(epoch.Pages, 0, 1500));
        output.WriteLine(string.Join('\n', recent));

        // The guest stops: its last pages go over, then epochs are small.
        pair.Primary.Machine.Stop();
        Primary(pair).WaitUntil(() => pair.Primary.Machine.Throttle.Percent == 0, "no throttle", seconds: 60);
        Primary(pair).WaitFor("message: the secondary keeps up again");
        string[] said = [.. Primary(pair).Events.Where(static e => e.Contains("the guest is slowed by", StringComparison.Ordinal))];
        Assert.InRange(said.Length, 1, 6);
        Assert.Contains("s to commit: the guest is slowed by 20 %", said[0], StringComparison.Ordinal);

        relay.BytesPerSecond = 0;
        pair.Primary.Machine.Start();
        pair.WaitForEpoch(pair.Epoch + 20);
        Assert.Equal(0, pair.Primary.Machine.Throttle.Percent);
        Assert.True(pair.StateDifference is null, pair.StateDifference);
    }

    [KvmFact]
    public void SlowSecondary_SlowsTheGuestDown_UntilItIsFastAgain()
    {
        using TestPair pair = new("chain.elf", "report=5000", checkpointDelayMs: 1, verifyEvery: 0);
        using ManualResetEventSlim isFast = new(false);
        MigrationSettings settings = pair.Primary.Migration.Settings;
        settings.CommitLimit = TimeSpan.FromMilliseconds(100);
        settings.CpuThrottle = (20, 10, 60);

        // Inside the pause of its apply, which so lasts 120 ms.
        pair.Secondary.Recorder.RunStateChanged = (_, to) =>
        {
            if (to == RunState.Colo)
                isFast.Wait(120);
        };
        pair.Protect();
        Primary(pair).WaitUntil(() => pair.Primary.Machine.Throttle.Percent == 60, "60 % throttle", seconds: 60);
        string said = Primary(pair).Events.First(static e => e.Contains("the guest is slowed by", StringComparison.Ordinal));
        Assert.Contains("s to go live there: the guest is slowed by 20 %", said, StringComparison.Ordinal);

        isFast.Set();
        Primary(pair).WaitUntil(() => pair.Primary.Machine.Throttle.Percent == 0, "no throttle", seconds: 60);
        Primary(pair).WaitFor("message: the secondary keeps up again");
        Assert.True(ChainVectors.For("report=5000").AssertUnbroken(pair.Primary.Console.Text) >= 0);
    }

    [KvmFact]
    public void LargeEpochOnALongSlowLine_IsWaitedFor()
    {
        using TestPair pair = new(
            "dirty.elf", "pages=2500 set=2500 tick=0 fill=1 random=1 report=60000", checkpointDelayMs: 600_000, verifyEvery: 1);
        using SlowRelay relay = new(pair.Uri);
        foreach (TestMachine side in (TestMachine[])[pair.Primary, pair.Secondary])
            side.Migration.Settings.HeartbeatTimeoutMs = 1000;
        pair.Protect(relay.Uri);
        pair.Primary.Migration.RequestCheckpoint();
        pair.WaitForEpoch(1);

        // All of it is on the way at once and arrives over a time for which no peer may be silent.
        relay.BytesPerSecond = 1_600_000;
        pair.Primary.Migration.RequestCheckpoint();
        pair.WaitForEpoch(2);

        relay.BytesPerSecond = 0;
        pair.Primary.Migration.RequestCheckpoint();
        pair.WaitForEpoch(3);
        EpochRecord slow = pair.Primary.Migration.Current!.Statistics.Recent().Single(static epoch => epoch.Epoch == 2);
        output.WriteLine($"{slow}");
        Assert.True(slow.Commit > pair.Primary.Migration.Settings.StepDeadline, $"{slow}");
        Assert.True(pair.StateDifference is null, pair.StateDifference);
    }

    private static MachineRecorder Primary(TestPair pair) => pair.Primary.Recorder;

    private static long ResidentBytes()
    {
        string line = File.ReadLines("/proc/self/status").First(static line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }
}
