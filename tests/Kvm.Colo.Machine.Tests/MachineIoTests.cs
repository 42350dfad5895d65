using Kvm.Colo.Block;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Devices.Virtio.Balloon;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine.Acpi;
using Kvm.Colo.Memory;
using Kvm.Colo.Stream;
using Kvm.Colo.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Kvm.Colo.Machine.Tests;

[Trait("Category", "RequiresKvm")]
public sealed class MachineIoTests : IDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(10);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("io");
    private readonly KvmSystem? _kvm = KvmHost.SkipReason is null ? KvmSystem.Open() : null;
    private readonly GuestMemory _memory = GuestMemory.Create(4ul << 20);

    public void Dispose()
    {
        _memory.Dispose();
        _kvm?.Dispose();
        _folder.Delete(recursive: true);
    }

    [KvmFact]
    public void Devices_StandInTheOrderTheGuestShallFindThem()
    {
        using KvmVm vm = NewVm();
        using MachineIo io = NewIo(vm, Config(disks: 2) with { Console = new NullSerialBackend(), Balloon = new VirtioBalloonConfig() });

        Assert.Equal(["disk0", "disk1", "rng0", "console0", "balloon0"], io.Ranges.Select(static range => range.Name));
        Assert.Equal(
            Enumerable.Range(0, 5).Select(static place => new AcpiVirtioDevice(VirtioSlots.Window(place), VirtioSlots.WindowBytes, VirtioSlots.Pin(place))),
            io.AcpiDevices);
        Assert.Equal(
            ["virtio-blk/0", "virtio-blk/1", "virtio-rng/0", "virtio-console/0", "virtio-balloon/0"],
            io.StateOwners.Select(static owner => $"{owner.Name}/{owner.InstanceId}"));
        Assert.Equal((1, 4, (int?)null), (io.PlaceOf("disk1"), io.PlaceOf("balloon0"), io.PlaceOf("disk2")));
    }

    // A device that stands where another one stood at the peer would be loaded with the other's state.
    [KvmFact]
    public void Optional_DevicesComeLast_SoThatTheOthersKeepTheirPlaces()
    {
        using KvmVm vm = NewVm();
        using MachineIo plain = NewIo(vm, Config(disks: 1));
        using KvmVm other = NewVm();
        using MachineIo full = NewIo(other, Config(disks: 1, "second") with { Balloon = new VirtioBalloonConfig() });

        Assert.Equal(plain.AcpiDevices, full.AcpiDevices.Take(plain.AcpiDevices.Count));
        Assert.Null(plain.Console);
        Assert.NotNull(full.Balloon);
    }

    [KvmFact]
    public void State_SavesLoadsAndSavesAlike_ForAllDevicesTogether()
    {
        using KvmVm vm = NewVm();
        using MachineIo io = NewIo(vm, Config(disks: 1) with { Console = new NullSerialBackend(), Balloon = new VirtioBalloonConfig() });
        io.Start();
        io.Balloon!.SetTarget(1 << 20);
        io.Quiesce(s_deadline);

        byte[] first = Save(io);
        var reader = new DeviceSectionReader([.. io.StateOwners]);
        Assert.Equal(FrameStatus.Ok, reader.TryRead(first, out _));
        Assert.Null(reader.Apply());

        Assert.Equal(first, Save(io));
        io.Resume();
    }

    [KvmFact]
    public void Construction_LetsGoOfEverything_WhenADiskIsMissing()
    {
        using KvmVm vm = NewVm();
        MachineConfig config = Config(disks: 1);
        MachineConfig broken = config with { Disks = [.. config.Disks, new DiskConfig(Path.Combine(_folder.FullName, "missing"), "missing")] };

        Assert.Throws<DiskOpenException>(() => NewIo(vm, broken));

        using KvmVm second = NewVm();
        using MachineIo io = NewIo(second, config);
        Assert.Single(io.Disks);
    }

    [KvmFact]
    public void Construction_RefusesMoreThanThereArePlaces()
    {
        using KvmVm vm = NewVm();

        Assert.Throws<ArgumentException>(() => NewIo(vm, Config(disks: VirtioSlots.Count)));
    }

    private static byte[] Save(MachineIo io)
    {
        using var buffer = new ChannelBuffer();
        foreach (IStateOwner owner in io.StateOwners)
            owner.Capture();
        new DeviceSectionWriter(buffer, [.. io.StateOwners]).Write();
        return buffer.WrittenSpan.ToArray();
    }

    private KvmVm NewVm()
    {
        KvmVm vm = _kvm!.CreateVm();
        vm.CreateInterruptChips();
        return vm;
    }

    private MachineIo NewIo(KvmVm vm, MachineConfig config) => new(config, vm, _memory, NullLogger.Instance, TimeProvider.System);

    private MachineConfig Config(int disks, string prefix = "disk") => new()
    {
        MemoryBytes = _memory.SizeBytes,
        Serial = new NullSerialBackend(),
        Disks = [.. Enumerable.Range(0, disks).Select(i => new DiskConfig(NewImage($"{prefix}{i}"), $"disk{i}"))],
    };

    private string NewImage(string name)
    {
        string path = Path.Combine(_folder.FullName, name);
        using FileStream file = File.Create(path);
        file.SetLength(1 << 20);
        return path;
    }
}
