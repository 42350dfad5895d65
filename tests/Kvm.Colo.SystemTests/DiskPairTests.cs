using System.Globalization;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>A protected guest's disk: what it wrote is on the other side with the epoch it belongs to, whenever its primary goes.</summary>
[Trait("Category", "RequiresKvm")]
public class DiskPairTests
{
    private const string Guest = "set=2048 depth=8 report=50";
    private const int DiskMiB = 4;
    private const string Report = " ok";

    [KvmFact]
    public void Disks_AreEqualAtEveryCheckpoint()
    {
        using TestPair pair = new("disk.elf", Guest, checkpointDelayMs: 5, verifyEvery: 1, diskMiB: DiskMiB);
        pair.Protect();
        pair.WaitForEpoch(100);
        pair.Primary.Console.Said.WaitForMoreLines(3, Report);
        pair.Primary.Machine.Stop();
        pair.WaitForEpoch(pair.Epoch + 3);

        Assert.True(pair.StateDifference is null, pair.StateDifference);
        AssertWhole(pair.Primary.Console.Text);
        Assert.Equal(Content(pair.PrimaryDisk), Content(pair.SecondaryDisk));
    }

    [KvmFact]
    public void SurvivorGoesOnWithItsDisk_WhereverTheLinkWasCut()
    {
        Random random = new(5);
        for (int round = 0; round < 20; round++)
        {
            using TestPair pair = new("disk.elf", Guest, checkpointDelayMs: random.Next(3), memoryMiB: 8, verifyEvery: 0, diskMiB: DiskMiB);
            pair.Protect();
            pair.WaitForEpoch((ulong)random.Next(1, 30));
            pair.Primary.Migration.Current!.Yank();
            pair.Secondary.Recorder.WaitFor("COLO_EXIT Secondary Error");
            pair.Secondary.Migration.LostHeartbeat();
            pair.Secondary.Recorder.WaitFor($"MIGRATION {MigrationStatus.Completed}");
            pair.Secondary.Console.Said.WaitForMoreLines(4, Report);

            Assert.Equal(RunState.Running, pair.Secondary.Machine.State);
            AssertWhole(pair.Secondary.Console.Text);

            // The other half of the guest goes on too, until its operator ends it: each has a disk of its own.
            pair.Primary.Console.Said.WaitForMoreLines(2, Report);
            AssertWhole(pair.Primary.Console.Text);
        }
    }

    [KvmFact]
    public void Survivor_IsProtectedAgainWithItsDisk()
    {
        using TestPair pair = new("disk.elf", Guest, checkpointDelayMs: 5, verifyEvery: 0, diskMiB: DiskMiB);
        pair.Protect();
        pair.WaitForEpoch(20);
        TestMachine survivor = pair.Secondary;
        pair.Primary.Migration.Current!.Yank();
        survivor.Recorder.WaitFor("COLO_EXIT Secondary Error");
        survivor.Migration.LostHeartbeat();
        survivor.Recorder.WaitFor($"MIGRATION {MigrationStatus.Completed}");

        string folder = Directory.CreateTempSubdirectory("colo-disk-").FullName;
        string image = Path.Combine(folder, "next.img");
        using (TestMachine next = new(null, incoming: true, adjust: config => TestPair.WithDisk(config, image, DiskMiB, seed: 3)))
        {
            MigrationUri uri = new(MigrationTransport.Unix, Path.Combine(folder, "link"), 0);
            next.Migration.Settings.VerifyCheckpoints = survivor.Migration.Settings.VerifyCheckpoints = true;
            survivor.Migration.Settings.CheckpointDelayMs = 5;
            next.Migration.Listen(uri, keepListening: true);
            survivor.Migration.Protect(uri);
            next.Recorder.WaitFor($"MIGRATION {MigrationStatus.Colo}");
            next.Recorder.WaitUntil(() => next.Migration.Current!.Statistics.Counters.Epoch >= 20, "twenty epochs");
            survivor.Migration.Current!.Yank();
            next.Recorder.WaitFor("COLO_EXIT Secondary Error");
            next.Migration.LostHeartbeat();
            next.Console.Said.WaitForMoreLines(4, Report);
            AssertWhole(next.Console.Text);
        }

        Directory.Delete(folder, recursive: true);
    }

    [KvmFact]
    public void DisksThatDoNotMatch_AreRefused_AndTheGuestGoesOn()
    {
        string folder = Directory.CreateTempSubdirectory("colo-disk-").FullName;
        using (TestMachine primary = new("disk.elf", Guest, adjust: config => TestPair.WithDisk(config, Path.Combine(folder, "p.img"), DiskMiB, seed: 1)))
        using (TestMachine secondary = new(
            null, incoming: true, adjust: config => TestPair.WithDisk(config, Path.Combine(folder, "s.img"), DiskMiB * 2, seed: 2)))
        {
            MigrationUri uri = new(MigrationTransport.Unix, Path.Combine(folder, "link"), 0);
            secondary.Migration.Listen(uri, keepListening: true);
            primary.Machine.Start();
            primary.Migration.Protect(uri);
            primary.Recorder.WaitUntil(
                () => primary.Recorder.Events.Any(static e => e.StartsWith("message: not protected yet", StringComparison.Ordinal)), "the refusal");
            primary.Console.Said.WaitForMoreLines(2, Report);
            AssertWhole(primary.Console.Text);
        }

        Directory.Delete(folder, recursive: true);
    }

    [KvmFact]
    public void ProofThatTakesLongerThanAStep_IsWaitedFor()
    {
        using LargeDisks disks = new();
        using TestPair pair = new("dirty.elf", LargeDisks.Guest, checkpointDelayMs: 100, adjust: disks.Add);
        LargeDisks.MakeImpatient(pair);
        pair.Protect();
        pair.WaitForEpoch(2, seconds: 120);
    }

    [KvmFact]
    public void PrimaryThatDiesDuringTheProof_LeavesAGuestThatGoesOn()
    {
        using LargeDisks disks = new();
        using TestPair pair = new("dirty.elf", LargeDisks.Guest, checkpointDelayMs: 100, adjust: disks.Add);
        LargeDisks.MakeImpatient(pair);

        // On the secondary's control thread, in the pause that makes its second epoch live.
        pair.Secondary.Recorder.RunStateChanged = (_, to) =>
        {
            if (to == RunState.Colo && pair.Secondary.Migration.Current is { } session && session.Statistics.Counters.Epoch == 1)
                pair.Primary.Migration.Current!.Yank();
        };
        pair.Protect();
        pair.Secondary.Recorder.WaitFor("COLO_EXIT Secondary Error", seconds: 120);
        pair.Secondary.Migration.LostHeartbeat();
        pair.Secondary.Recorder.WaitFor($"MIGRATION {MigrationStatus.Completed}");

        Assert.Equal(RunState.Running, pair.Secondary.Machine.State);
    }

    [KvmFact]
    public void SecondaryThatDiesDuringTheProof_LeavesAGuestThatGoesOn()
    {
        using LargeDisks disks = new();
        using TestPair pair = new("dirty.elf", LargeDisks.Guest, checkpointDelayMs: 100, adjust: disks.Add);
        LargeDisks.MakeImpatient(pair);
        pair.Primary.Recorder.RunStateChanged = (_, to) =>
        {
            if (to == RunState.Colo)
                pair.Secondary.Migration.Current?.Yank();
        };
        pair.Protect();
        pair.Primary.Recorder.WaitFor("COLO_EXIT Primary Error", seconds: 120);

        Assert.Equal(RunState.Running, pair.Primary.Machine.State);
    }

    // Every report of the guest stands for a whole set read back; their numbers follow each other.
    private static void AssertWhole(string console)
    {
        Assert.DoesNotContain("BROKEN", console, StringComparison.Ordinal);
        Assert.DoesNotContain("TRAP", console, StringComparison.Ordinal);
        int last = 0;
        foreach (string line in console.Split('\n'))
        {
            string[] words = line.Split(' ');
            if (words is not ["disk", _, "ok", ..])
                continue;
            int number = int.Parse(words[1], CultureInfo.InvariantCulture);
            Assert.True(last == 0 || number == last + 50, $"{number} after {last}");
            last = number;
        }

        Assert.True(last > 0, console);
    }

    private static byte[] Content(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        byte[] content = new byte[file.Length];
        file.ReadExactly(content);
        return content;
    }

    // A step may take 2 s; to read so much twice takes longer.
    private sealed class LargeDisks : IDisposable
    {
        public const string Guest = "pages=16 set=16";

        private readonly string _folder = Directory.CreateTempSubdirectory("colo-disk-").FullName;
        private int _count;

        public MachineConfig Add(MachineConfig config)
        {
            string path = Path.Combine(_folder, $"{_count++}.img");
            using (FileStream image = File.Create(path))
                image.SetLength(10L << 30);
            return config with { Disks = [new DiskConfig(path, "disk0")] };
        }

        public static void MakeImpatient(TestPair pair) =>
            pair.Primary.Migration.Settings.HeartbeatTimeoutMs = pair.Secondary.Migration.Settings.HeartbeatTimeoutMs = 200;

        public void Dispose() => Directory.Delete(_folder, recursive: true);
    }
}
