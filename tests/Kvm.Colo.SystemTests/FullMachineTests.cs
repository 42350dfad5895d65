using Kvm.Colo.Devices.Virtio.Balloon;
using Kvm.Colo.Devices.Virtio.Net;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Net;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>A machine with every device there is: its state travels whole.</summary>
[Trait("Category", "RequiresKvm")]
public sealed class FullMachineTests : IDisposable
{
    private const int DiskMiB = 4;
    private static readonly Guid s_generation = new("00112233-4455-6677-8899-aabbccddeeff"); // else a restore makes a new one
    private readonly string _folder = Directory.CreateTempSubdirectory("colo-full-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // The guest is stopped wherever it is with its disk, or in an attack on it.
    [KvmTapFact]
    public void SaveLoadSave_IsByteEqualForEveryDevice_AndTheDescriptionIsComplete() => TapNamespace.Run(() =>
    {
        using TestMachine source = new("hostile.elf", "device=blk seed=5", adjust: config => Full(config, "source"));
        source.Machine.Start();
        source.Console.Said.WaitForMoreLines(5, " ok");
        source.Machine.Stop();
        var first = SavedStream.Sections(Save(source, "first"));
        Assert.Superset(
            new HashSet<string>
            {
                "serial 0", "virtio-blk 0", "virtio-blk 1", "virtio-net 0", "virtio-net 1", "virtio-rng 0", "virtio-console 0", "virtio-balloon 0", "cpu 0",
            },
            first.Keys.ToHashSet());
        Assert.Equal(source.Machine.StateOwners.Count, first.Count);

        using TestMachine target = new(null, incoming: true, adjust: config => Full(config, "target"));
        target.Migration.Listen(new MigrationUri(MigrationTransport.File, Path.Combine(_folder, "first"), 0), keepListening: false);
        target.Recorder.WaitFor("MIGRATION Completed");
        Assert.Equal(RunState.Paused, target.Machine.State);
        var second = SavedStream.Sections(Save(target, "second"));

        // A vCPU's and the chips' clocks go on while they are parked; these two are compared field by field with a pair.
        Assert.Equal(first.Keys, second.Keys);
        Assert.All(first.Keys.Except(["cpu 0", "kvm-chips 0"]), name => Assert.Equal((name, Convert.ToHexString(first[name])), (name, Convert.ToHexString(second[name]))));
    });

    [KvmTapFact]
    public void Pair_HasEveryDeviceEqualAtEveryCheckpoint() => TapNamespace.Run(() =>
    {
        using TestPair pair = new("hostile.elf", "device=net seed=7", checkpointDelayMs: 5, diskMiB: DiskMiB, adjust: static config => WithDevices(config));
        pair.Protect();
        pair.WaitForEpoch(50);
        Assert.True(pair.StateDifference is null, pair.StateDifference);
        Assert.True(pair.StatesCompared > 20);
        Assert.DoesNotContain("BROKEN", pair.Primary.Console.Text, StringComparison.Ordinal);
    });

    [KvmTapFact]
    public void SurvivorOfAHostThatLostItsInterface_HasALinkOfItsOwn() => TapNamespace.Run(static () =>
    {
        using TestPair pair = new("hostile.elf", "device=net seed=9", checkpointDelayMs: 5, verifyEvery: 0, adjust: static config => WithDevices(config));
        pair.Protect();
        pair.WaitForEpoch(10);
        VirtioNet lost = pair.Primary.Machine.Io.NetworkCards[0];
        TapNamespace.Ip("link", "del", pair.Primary.Machine.Io.Gates[0].Name);
        pair.Primary.Recorder.WaitUntil(() => !lost.IsLinkUp, "the loss of the interface");
        pair.WaitForEpoch(pair.Epoch + 10);

        pair.Primary.Migration.Current!.Yank();
        pair.Secondary.Recorder.WaitFor("COLO_EXIT Secondary Error");
        pair.Secondary.Migration.LostHeartbeat();
        pair.Secondary.Recorder.WaitFor($"MIGRATION {MigrationStatus.Completed}");
        pair.Secondary.Console.Said.WaitForMoreLines(5, " ok");
        Assert.True(pair.Secondary.Machine.Io.NetworkCards[0].IsLinkUp);
        Assert.False(lost.IsLinkUp);
    });

    private static MachineConfig WithDevices(MachineConfig config) => config with
    {
        Console = new LastWords(),
        Balloon = new VirtioBalloonConfig(),
        HasGenerationId = true,
        GenerationId = s_generation,
        Nets = [new NetConfig("net0", InterfaceName: null, MacAddress.Derive("net0")), new NetConfig("net1", InterfaceName: null, MacAddress.Derive("net1"))],
    };

    private MachineConfig Full(MachineConfig config, string side)
    {
        MachineConfig full = TestPair.WithDisk(WithDevices(config), Path.Combine(_folder, $"{side}-0.img"), DiskMiB, seed: 1);
        MachineConfig second = TestPair.WithDisk(config, Path.Combine(_folder, $"{side}-1.img"), DiskMiB, seed: 2);
        return full with { Disks = [.. full.Disks, second.Disks[0] with { Id = "disk1", IsReadOnly = true }] };
    }

    private byte[] Save(TestMachine machine, string name)
    {
        string path = Path.Combine(_folder, name);
        int before = Completed();
        machine.Migration.Migrate(new MigrationUri(MigrationTransport.File, path, 0));
        machine.Recorder.WaitUntil(() => Completed() > before, "the save");
        return File.ReadAllBytes(path);
        int Completed() => machine.Recorder.Events.Count(static e => e == "MIGRATION Completed");
    }
}
