using System.Text.Json;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Devices.Virtio;
using Kvm.Colo.Devices.Virtio.Net;
using Kvm.Colo.Machine;
using Kvm.Colo.Net;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Hosting;

namespace Kvm.Colo.Cli.Hosting;

/// <summary>Devices and objects for the control socket: consoles, disks, balloon, vCPUs; nothing can be added or taken away.</summary>
internal sealed class QmpDevicesAdapter : IQmpDevices
{
    private readonly VirtualMachine _machine;
    private readonly string _serial;
    private readonly string? _console;

    /// <summary>Describes a machine; <paramref name="serial"/> and <paramref name="console"/> are what the user asked for.</summary>
    public QmpDevicesAdapter(VirtualMachine machine, string serial, string? console = null)
    {
        _machine = machine;
        _serial = serial;
        _console = console;
        foreach (int index in machine.Vcpus.Select(static thread => thread.Vcpu.Index))
        {
            Objects.Add(QmpMachineAdapter.CpuPath(index), "colo-vm-cpu",
                new QmpObjectProperty("index", "int", () => (long)index),
                new QmpObjectProperty("thread-id", "int", () => machine.Vcpus[index].Vcpu.ThreadId),
                new QmpObjectProperty("exits", "int", () => machine.Vcpus[index].Exits));
        }

        Objects.Add("/machine/peripheral", "container");
        foreach (DiskConfig disk in machine.Config.Disks)
            Objects.Add(DevicePath(disk.Id), "virtio-blk-device");
        foreach (NetConfig card in machine.Config.Nets)
            Objects.Add(DevicePath(card.Id), "virtio-net-device");
    }

    public IReadOnlyList<QmpChardev> Chardevs
    {
        get
        {
            List<QmpChardev> all = [Describe("serial0", _serial, _machine.Config.Serial)];
            if (_machine.Config.Console is { } backend)
                all.Add(Describe("console0", _console!, backend));
            return all;
        }
    }

    public IReadOnlyList<QmpBlockDevice> BlockDevices =>
        [.. _machine.Config.Disks.Zip(
            _machine.Io.BlockDevices, static (config, disk) => QmpDisks.Describe(config, disk, DevicePath(config.Id)))];

    public QmpBalloon? Balloon => _machine.Balloon is { } balloon ? new QmpBalloon((long)balloon.ActualBytes) : null;

    public Guid? GenerationId => _machine.GenerationId;

    public IReadOnlyList<QmpIoThread> IoThreads => [];

    public IReadOnlyList<QmpVirtioDevice> VirtioDevices => [.. _machine.Io.VirtioDevices.Select(Describe)];

    public QmpObjectTree Objects { get; } = new();

    public void AddObject(string qomType, string id, JsonElement properties) => throw QmpErrors.WrongValue("qom-type", qomType);

    /// <summary>A secondary's guest is the primary's: what it is told here would be undone by the next epoch.</summary>
    public void SetBalloon(ulong bytes)
    {
        if (_machine.IsSpeculative)
            throw new QmpCommandException("this side follows its primary: ask there");
        _machine.Balloon!.SetTarget(bytes);
    }

    public void SetLink(string name, bool isUp)
    {
        VirtioNet card = _machine.Io.NetworkCards.FirstOrDefault(card => card.Identity.Name == name) ?? throw QmpErrors.DeviceNotFound(name);
        card.SetLink(isUp);
        if (isUp && card.IsLost)
            throw new QmpCommandException($"the host has taken the interface of '{name}' away");
    }

    public void DeleteObject(string id) => throw new QmpCommandException($"object '{id}' not found");

    public void DeleteDevice(string id) => throw (_machine.Io.PlaceOf(id) is { } place
        ? new QmpCommandException($"Bus 'virtio-mmio-bus.{place}' does not support hotplugging")
        : QmpErrors.DeviceNotFound(id));

    private QmpVirtioDevice Describe(VirtioDevice device) => new(
        device.Identity.Name, device.Identity.SectionName, (long)device.Status, device.Faults.Count, device.HostErrors.Count,
        device is VirtioNet card ? Describe(card, _machine.Io.Gates[(int)card.Identity.InstanceId]) : null);

    private static QmpNetCard Describe(VirtioNet card, NetGate gate) => new()
    {
        InterfaceName = gate.Name,
        Address = card.Address.ToString(),
        IsLinkUp = card.IsLinkUp,
        ReceivedFrames = card.Counters.Received,
        ReceivedBytes = card.Counters.ReceivedBytes,
        ReceiveDropped = card.Counters.ReceiveDropped,
        SentFrames = card.Counters.Sent,
        SentBytes = card.Counters.SentBytes,
        SendDropped = card.Counters.SendDropped,
        HeldFrames = gate.HeldFrames,
        WaitingFrames = gate.WaitingFrames,
        NeverLeft = gate.DroppedFrames,
    };

    private static string DevicePath(string id) => $"/machine/peripheral/{id}";

    // QEMU's sign of a socket without a peer.
    private static QmpChardev Describe(string label, string text, ISerialBackend backend) =>
        new(label, backend.IsConnected ? text : $"disconnected:{text}", FrontendOpen: true);
}
