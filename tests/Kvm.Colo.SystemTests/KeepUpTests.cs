using System.Diagnostics;
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
    private const string Chain = "report=50000";
    private static readonly TimeSpan s_commitLimit = TimeSpan.FromMilliseconds(100);

    // At most one beginning is said in this time.
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(10);

    [KvmFact]
    public void SlowLink_SlowsTheGuestDown_UntilTheLoadEnds()
    {
        using TestPair pair = new("dirty.elf", Load, checkpointDelayMs: 10, verifyEvery: 10);
        using SlowRelay relay = new(pair.Uri);
        MigrationSettings settings = pair.Primary.Migration.Settings;
        settings.CommitLimit = TimeSpan.Zero;
        string? difference = null;
        Primary(pair).PassBegins += _ => difference ??= ThrottleDifference(pair.Primary); // on the thread that sets both
        long start = Stopwatch.GetTimestamp();
        pair.Protect(relay.Uri);

        // The first late epoch is seconds on the line: nothing a busy host may add to its way can be longer. The epoch on its way now may
        // have begun on a fast line, so it is not judged.
        relay.BytesPerSecond = 2 << 20;
        pair.WaitForEpoch(pair.Epoch + 2);
        settings.CommitLimit = s_commitLimit;
        Primary(pair).WaitUntil(() => pair.Primary.Machine.Throttle.Percent > 0, "the first throttle", seconds: 60);
        relay.BytesPerSecond = 16 << 20;
        Primary(pair).WaitUntil(() => pair.Primary.Machine.Throttle.Percent >= 60, "60 % throttle", seconds: 60);

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
        Assert.InRange(said.Length, 1, 1 + (int)(Stopwatch.GetElapsedTime(start) / s_quiet));
        Assert.Contains("s to commit: the guest is slowed by 20 %", said[0], StringComparison.Ordinal);

        // A limit that no epoch on a fast line exceeds, however busy the host: the guest under its full load loses nothing.
        settings.CommitLimit = TimeSpan.FromMinutes(1);
        relay.BytesPerSecond = 0;
        pair.Primary.Machine.Start();
        pair.WaitForEpoch(pair.Epoch + 20);
        Assert.Equal(0, pair.Primary.Machine.Throttle.Percent);
        Assert.Null(difference);
        Assert.True(pair.StateDifference is null, pair.StateDifference);
    }

    [KvmFact]
    public void SlowSecondary_SlowsTheGuestDown_UntilItIsFastAgain()
    {
        using TestPair pair = new("chain.elf", Chain, checkpointDelayMs: 1, verifyEvery: 0);
        using ManualResetEventSlim isFast = new(false);
        MigrationSettings settings = pair.Primary.Migration.Settings;
        settings.CommitLimit = s_commitLimit;
        settings.CpuThrottle = (20, 10, 60);

        // Inside the pause of its apply, which so lasts 120 ms; seconds up to the first late epoch, so that a busy host makes no commit longer.
        pair.Secondary.Recorder.RunStateChanged = (_, to) =>
        {
            if (to == RunState.Colo)
                isFast.Wait(pair.Primary.Machine.Throttle.Percent == 0 ? 3000 : 120);
        };
        pair.Protect();
        Primary(pair).WaitUntil(() => pair.Primary.Machine.Throttle.Percent == 60, "60 % throttle", seconds: 60);
        string said = Primary(pair).Events.First(static e => e.Contains("the guest is slowed by", StringComparison.Ordinal));
        Assert.Contains("s to go live there: the guest is slowed by 20 %", said, StringComparison.Ordinal);

        isFast.Set();
        Primary(pair).WaitUntil(() => pair.Primary.Machine.Throttle.Percent == 0, "no throttle", seconds: 60);
        Primary(pair).WaitFor("message: the secondary keeps up again");
        pair.Primary.Console.Said.WaitForMoreLines(2);
        Assert.True(ChainVectors.AssertConsecutive(pair.Primary.Console.Text, Chain) > 0);
    }

    [KvmFact]
    public void LargeEpochOnALongSlowLine_IsWaitedFor()
    {
        using TestPair pair = new(
            "dirty.elf", "pages=2500 set=2500 tick=0 fill=1 random=1 report=60000", checkpointDelayMs: 600_000, verifyEvery: 1);
        using SlowRelay relay = new(pair.Uri);
        pair.Protect(relay.Uri);
        pair.Primary.Migration.RequestCheckpoint();
        pair.WaitForEpoch(1);

        // All of it is on the way at once and arrives over a time for which no peer may be silent. The timeout is short for this epoch
        // only: between epochs it would judge the host.
        TestMachine[] sides = [pair.Primary, pair.Secondary];
        TimeSpan silence = TimeSpan.MaxValue;
        foreach (TestMachine side in sides)
        {
            int usual = side.Migration.Settings.HeartbeatTimeoutMs;
            side.Recorder.EpochEnds = _ => side.Migration.Settings.HeartbeatTimeoutMs = usual;
        }

        Primary(pair).PassBegins += pass =>
        {
            if (pass != 2)
                return;
            foreach (TestMachine side in sides)
                side.Migration.Settings.HeartbeatTimeoutMs = 1000;
            silence = pair.Primary.Migration.Settings.StepDeadline;
        };
        relay.BytesPerSecond = 1_600_000;
        pair.Primary.Migration.RequestCheckpoint();
        pair.WaitForEpoch(2);

        relay.BytesPerSecond = 0;
        pair.Primary.Migration.RequestCheckpoint();
        pair.WaitForEpoch(3);
        EpochRecord slow = pair.Primary.Migration.Current!.Statistics.Recent().Single(static epoch => epoch.Epoch == 2);
        output.WriteLine($"{slow}");
        Assert.True(slow.Commit > silence, $"{slow}");
        Assert.True(pair.StateDifference is null, pair.StateDifference);
    }

    private static MachineRecorder Primary(TestPair pair) => pair.Primary.Recorder;

    // What is taken from the guest and what its operator is told.
    private static string? ThrottleDifference(TestMachine primary)
    {
        (int taken, int told) = (primary.Machine.Throttle.Percent, primary.Migration.Current!.ThrottlePercent);
        return taken == told ? null : $"{taken} % are taken, {told} % told";
    }

    private static long ResidentBytes()
    {
        string line = File.ReadLines("/proc/self/status").First(static line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }
}
