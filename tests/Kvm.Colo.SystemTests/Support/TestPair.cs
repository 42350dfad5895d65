using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Links;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>A primary and a secondary in one process, joined by a UNIX socket; both are real machines on /dev/kvm.</summary>
internal sealed class TestPair : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("colo-pair-").FullName;
    private readonly int _verifyEvery;
    private int _statesCompared;
    private volatile string? _stateDifference;

    /// <summary>Creates both machines. RAM and state of the two sides are compared at every <paramref name="verifyEvery"/>th checkpoint; 0 for never. With
    /// <paramref name="secondaryCanBoot"/> the secondary has the boot image too, as it must to carry out a reset.
    /// <paramref name="adjust"/> changes the configuration of each.</summary>
    public TestPair(string image, string append, int checkpointDelayMs, ulong memoryMiB = 32, int cpus = 1, int verifyEvery = 1, bool secondaryCanBoot = false, int diskMiB = 0,
        Func<MachineConfig, MachineConfig>? adjust = null)
    {
        _verifyEvery = verifyEvery;
        Uri = new MigrationUri(MigrationTransport.Unix, Path.Combine(_folder, "link"), 0);
        Primary = new TestMachine(image, append, memoryMiB, cpus, adjust: config => WithDisk(Adjusted(config), PrimaryDisk, diskMiB, seed: 1));
        Secondary = new TestMachine(
            secondaryCanBoot ? image : null, append, memoryMiB, cpus, incoming: true, adjust: config => WithDisk(Adjusted(config), SecondaryDisk, diskMiB, seed: 2));
        MachineConfig Adjusted(MachineConfig config) => adjust?.Invoke(config) ?? config;
        foreach (TestMachine side in (TestMachine[])[Primary, Secondary])
            side.Migration.Settings.CheckpointDelayMs = checkpointDelayMs;

        if (verifyEvery == 0)
            return;
        Primary.Recorder.PassBegins = pass => Primary.Migration.Settings.VerifyCheckpoints = pass % verifyEvery == 0;
        Secondary.Recorder.RunStateChanged = CompareState;
    }

    public MigrationUri Uri { get; }

    /// <summary>The image of the primary's disk, when it has one.</summary>
    public string PrimaryDisk => Path.Combine(_folder, "primary.img");

    public string SecondaryDisk => Path.Combine(_folder, "secondary.img");

    public TestMachine Primary { get; }

    public TestMachine Secondary { get; }

    /// <summary>How often the state of the secondary's vCPUs, chips and devices was compared with what the primary sent.</summary>
    public int StatesCompared => Volatile.Read(ref _statesCompared);

    /// <summary>The first field that differed once an epoch had been loaded, or null.</summary>
    public string? StateDifference => _stateDifference;

    /// <summary>Epochs the secondary has made live.</summary>
    public ulong Epoch => Secondary.Migration.Current!.Statistics.Counters.Epoch;

    /// <summary>Starts the guest, joins the two, and returns when the secondary's guest runs.</summary>
    /// <param name="through">Where the primary connects to, when that is not the secondary itself.</param>
    public void Protect(MigrationUri? through = null)
    {
        Secondary.Migration.Listen(Uri, keepListening: true);
        Primary.Machine.Start();
        Primary.Migration.Protect(through ?? Uri);
        Primary.Recorder.WaitFor($"MIGRATION {MigrationStatus.Colo}");
        Secondary.Recorder.WaitFor($"MIGRATION {MigrationStatus.Colo}");
    }

    public void WaitForEpoch(ulong epoch, int seconds = 60)
    {
        Secondary.Recorder.WaitUntil(() => Epoch >= epoch || Broken(), $"epoch {epoch}", seconds);
        if (Epoch < epoch)
            throw new InvalidOperationException($"the pair broke at epoch {Epoch}:\n{string.Join('\n', Primary.Recorder.Events.Concat(Secondary.Recorder.Events))}");
    }

    /// <summary>Adds a new disk with content that nobody else's has; none for 0 MiB.</summary>
    public static MachineConfig WithDisk(MachineConfig config, string path, int mib, int seed)
    {
        if (mib == 0)
            return config;
        byte[] content = new byte[mib << 20];
        new Random(seed).NextBytes(content);
        File.WriteAllBytes(path, content);
        return config with { Disks = [new DiskConfig(path, "disk0")] };
    }

    // On the secondary's control thread: the epoch is loaded, the vCPUs are still parked.
    private void CompareState(RunState from, RunState to)
    {
        if (from != RunState.Colo || to == RunState.InternalError || Secondary.Migration.Current is not { } current
            || (current.Statistics.Counters.Epoch + 1) % (ulong)_verifyEvery != 0)
        {
            return;
        }

        _stateDifference ??= StateFields.Difference(StateFields.Live(Secondary.Machine), StateFields.Staged(Secondary.Machine));
        Interlocked.Increment(ref _statesCompared);
    }

    private bool Broken() => Secondary.Machine.State == RunState.InternalError || Primary.Machine.State == RunState.InternalError
        || Secondary.Recorder.Events.Any(static e => e.StartsWith("COLO_EXIT", StringComparison.Ordinal));

    public void Dispose()
    {
        Primary.Dispose();
        Secondary.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
