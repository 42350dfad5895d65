using Kvm.Colo.Machine;
using Kvm.Colo.Memory;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Stream;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>One side dies or is told to go: the other's guest goes on, and what both say about it is true.</summary>
[Trait("Category", "RequiresKvm")]
public class FailoverTests
{
    private const int Rounds = 100;
    private const string Chain = "report=50000";

    [KvmFact]
    public void SecondaryGoesOn_WhenThePrimaryIsKilled_AHundredTimes()
    {
        Random random = new(11);
        HostProcess next = new();
        try
        {
            for (int round = 0; round < Rounds; round++)
            {
                using HostProcess primary = next;
                next = new HostProcess();
                try
                {
                    KillPrimary(primary, round % 2 == 0, random);
                }
                catch (Exception e)
                {
                    throw new InvalidOperationException($"round {round}: {e.Message}", e);
                }
            }
        }
        finally
        {
            next.Dispose();
        }
    }

    [KvmFact]
    public void PrimaryNeverStops_WhenTheSecondaryIsKilled_AHundredTimes()
    {
        Random random = new(12);
        string folder = Directory.CreateTempSubdirectory("colo-kill-").FullName;
        using TestMachine primary = new("chain.elf", Chain);
        primary.Migration.Settings.CheckpointDelayMs = 2;
        primary.Machine.Start();
        HostProcess next = new();
        try
        {
            for (int round = 0; round < Rounds; round++)
            {
                using HostProcess secondary = next;
                next = new HostProcess();
                MigrationUri uri = new(MigrationTransport.Unix, Path.Combine(folder, $"link-{round}"), 0);
                KillSecondary(primary, secondary, uri, round, random);
            }
        }
        finally
        {
            next.Dispose();
            Directory.Delete(folder, recursive: true);
        }

        // One guest through a hundred protections and losses.
        Assert.True(ChainVectors.AssertConsecutive(primary.Console.Text, Chain) > Rounds);
        Assert.Equal(primary.Recorder.CountOf("STOP") + 1, primary.Recorder.CountOf("RESUME"));
    }

    [KvmTheory]
    [InlineData(true, 20_000)]
    [InlineData(true, 0)]
    [InlineData(false, 20_000)]
    [InlineData(false, 0)]
    public void Request_LetsItsSideGoOnAlone(bool onPrimary, int checkpointDelayMs)
    {
        for (int round = 0; round < 20; round++)
        {
            using TestPair pair = new("chain.elf", Chain, checkpointDelayMs, memoryMiB: 8, verifyEvery: 0);
            RunInto(pair, round, checkpointDelayMs);
            (TestMachine asked, TestMachine other) = onPrimary ? (pair.Primary, pair.Secondary) : (pair.Secondary, pair.Primary);
            asked.Migration.LostHeartbeat();
            string[] sides = onPrimary ? ["Primary", "Secondary"] : ["Secondary", "Primary"];
            AssertExits(asked, $"COLO_EXIT {sides[0]} Request", other, $"COLO_EXIT {sides[1]} Error");
            asked.Console.Said.WaitForMoreLines(2);
            AssertRunsAlone(asked);
        }
    }

    [KvmTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Takeover_AtAnyMoment_ForgetsWhatWasSentAhead(bool hashes)
    {
        Random random = new(hashes ? 13 : 14);
        for (int round = 0; round < 20; round++)
        {
            using TestPair pair = new("chain.elf", Chain, checkpointDelayMs: 12, memoryMiB: 8, verifyEvery: 0);
            MigrationSettings settings = pair.Primary.Migration.Settings;
            settings.PreSend = pair.Secondary.Migration.Settings.PreSend = true;
            settings.PageHashes = hashes;
            settings.PreSendMinPages = 0;
            settings.PreSendPeriod = TimeSpan.FromMilliseconds(1);
            pair.Protect();
            pair.WaitForEpoch((ulong)random.Next(2, 8));
            SpinFor(random.NextDouble() * 14);
            pair.Secondary.Migration.LostHeartbeat();
            pair.Secondary.Recorder.WaitFor("COLO_EXIT Secondary Request");
            pair.Secondary.Console.Said.WaitForMoreLines(3);
            AssertRunsAlone(pair.Secondary);
        }
    }

    [KvmFact]
    public void LinkThatDiesBehindACut_LetsTheGuestThatWaitedGoOn()
    {
        for (int round = 1; round <= 10; round++)
        {
            using TestPair pair = new("dirty.elf", "pages=100 tick=20 fill=1 report=100", checkpointDelayMs: 15, memoryMiB: 8, verifyEvery: 0);
            using SlowRelay relay = new(pair.Uri);
            int cuts = 0;
            pair.Secondary.Recorder.ColoMessage = (sent, message) =>
            {
                if (!sent && message == ColoMessage.Cut && ++cuts == round)
                    relay.HangUp();
            };
            pair.Protect(relay.Uri);
            pair.Secondary.Recorder.WaitFor("COLO_EXIT Secondary");
            string said = pair.Primary.Console.Text.Split(" at=0x")[1].Split(' ')[0];
            ulong at = Convert.ToUInt64(said, 16) >> GuestPage.Shift;
            byte[] then = pair.Secondary.Machine.Memory.Page(at).ToArray();
            pair.Secondary.Recorder.WaitUntil(() => !pair.Secondary.Machine.Memory.Page(at).SequenceEqual(then), "the guest to go on before anybody decides");
            pair.Secondary.Migration.LostHeartbeat();
            pair.Secondary.Console.Said.WaitForMoreLines(3);
            Assert.Equal(RunState.Running, pair.Secondary.Machine.State);
        }
    }

    [KvmFact]
    public void RebootingGuest_KeepsRebootingAfterTakeover()
    {
        for (int round = 0; round < 30; round++)
        {
            using TestPair pair = new("fault.elf", "how=kbd", checkpointDelayMs: 0, memoryMiB: 8, verifyEvery: 0, secondaryCanBoot: true);
            RunInto(pair, round, 0);
            pair.Secondary.Migration.LostHeartbeat();
            pair.Secondary.Recorder.WaitFor("COLO_EXIT Secondary Request");
            pair.Secondary.Console.Said.WaitForMoreLines(4);
            Assert.Equal(RunState.Running, pair.Secondary.Machine.State);
        }
    }

    [KvmFact]
    public void LostHeartbeat_IsRefused_WithoutASession()
    {
        using TestMachine vm = new("heartbeat.elf");
        Assert.Equal("VM is not in COLO mode", Assert.Throws<MigrationException>(vm.Migration.LostHeartbeat).Message);
    }

    [KvmFact]
    public void SecondRequest_IsRefused()
    {
        using TestPair pair = new("chain.elf", Chain, checkpointDelayMs: 20_000, memoryMiB: 8, verifyEvery: 0);
        pair.Protect();
        pair.Secondary.Migration.LostHeartbeat();
        Assert.Contains(
            Assert.Throws<MigrationException>(pair.Secondary.Migration.LostHeartbeat).Message,
            (string[])["COLO failover is already activated", "VM is not in COLO mode"]);
    }

    private static void KillPrimary(HostProcess primary, bool chain, Random random)
    {
        string folder = Directory.CreateTempSubdirectory("colo-kill-").FullName;
        try
        {
            MigrationUri uri = new(MigrationTransport.Unix, Path.Combine(folder, "link"), 0);
            using TestMachine secondary = new(null, incoming: true);
            secondary.Migration.Listen(uri, keepListening: true);
            primary.Do(chain ? $"create chain.elf 32 2 {Chain}" : "create heartbeat.elf 32 2 period=10");
            primary.Do("start");
            primary.Do($"protect {uri}");
            ulong epoch = (ulong)random.Next(1, 40);
            secondary.Recorder.WaitUntil(() => secondary.Migration.Current!.Statistics.Counters.Epoch >= epoch, $"epoch {epoch}");
            SpinFor(random.NextDouble() * 5);
            primary.Kill();
            secondary.Recorder.WaitFor("COLO_EXIT Secondary Error");
            secondary.Migration.LostHeartbeat();
            secondary.Console.Said.WaitForMoreLines(3);
            secondary.Recorder.WaitFor("MIGRATION Completed");
            Assert.Equal(RunState.Running, secondary.Machine.State);
            string said = secondary.Console.Text;
            if (chain)
                Assert.True(ChainVectors.For(Chain).AssertUnbroken(said) >= 2);
            else
                Assert.True(HeartbeatSequence.AssertUnbroken(said, 10) > 0);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void KillSecondary(TestMachine primary, HostProcess secondary, MigrationUri uri, int round, Random random)
    {
        secondary.Do("create - 32 2");
        secondary.Do($"listen {uri}");
        primary.Migration.Protect(uri);
        ulong epoch = (ulong)random.Next(1, 20);
        MigrationControl session = primary.Migration.Current!;
        primary.Recorder.WaitUntil(() => session.Statistics.Counters.Epoch >= epoch, $"round {round}: epoch {epoch}");
        SpinFor(random.NextDouble() * 5);
        secondary.Kill();
        primary.Recorder.WaitUntil(
            () => primary.Recorder.Events.Count(static e => e == "COLO_EXIT Primary Error") == round + 1, $"round {round}: COLO_EXIT");
        primary.Console.Said.WaitForMoreLines(2);
        primary.Migration.LostHeartbeat();
        primary.Recorder.WaitUntil(() => session.Status == MigrationStatus.Completed, $"round {round}: the end of the session");
        Assert.Equal(RunState.Running, primary.Machine.State);
    }

    private static void RunInto(TestPair pair, int round, int checkpointDelayMs)
    {
        pair.Protect();
        if (checkpointDelayMs == 0)
            pair.WaitForEpoch((ulong)(1 + round));
        SpinFor(round * 0.3);
    }

    private static void AssertExits(TestMachine asked, string askedExit, TestMachine other, string otherExit)
    {
        asked.Recorder.WaitFor(askedExit);
        other.Recorder.WaitFor(otherExit);
        Assert.Single(asked.Recorder.Events, static e => e.StartsWith("COLO_EXIT", StringComparison.Ordinal));
        Assert.Single(other.Recorder.Events, static e => e.StartsWith("COLO_EXIT", StringComparison.Ordinal));
    }

    private static void AssertRunsAlone(TestMachine side)
    {
        Assert.Equal(RunState.Running, side.Machine.State);
        Assert.Equal(side.Recorder.CountOf("STOP"), side.Recorder.CountOf("RESUME") - 1);
        Assert.True(ChainVectors.For(Chain).AssertUnbroken(side.Console.Text) > 0);
    }

    // A random moment within a checkpoint interval is what these tests want, so there is no event to wait for.
    private static void SpinFor(double milliseconds)
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        while (System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMilliseconds < milliseconds)
            Thread.Yield();
    }
}
