using Kvm.Colo.Block;
using Kvm.Colo.Devices;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Devices.Virtio;
using Kvm.Colo.Devices.Virtio.Balloon;
using Kvm.Colo.Devices.Virtio.Blk;
using Kvm.Colo.Devices.Virtio.Console;
using Kvm.Colo.Devices.Virtio.Mmio;
using Kvm.Colo.Devices.Virtio.Net;
using Kvm.Colo.Devices.Virtio.Rng;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine.Acpi;
using Kvm.Colo.Memory;
using Kvm.Colo.Native.Io;
using Kvm.Colo.Net;
using Kvm.Colo.Stream;
using Microsoft.Extensions.Logging;

namespace Kvm.Colo.Machine;

/// <summary>
/// The machine's virtio devices, their ends on the host and the I/O thread that serves them: disks, then network cards, entropy, console, balloon, each
/// kind in the order of the configuration. The control loop stops and resumes them as one.
/// </summary>
internal sealed partial class MachineIo : IDisposable
{
    private static readonly TimeSpan s_closeDeadline = TimeSpan.FromSeconds(10);

    private readonly ILogger _logger;
    private readonly KvmVm _vm;
    private readonly EpollLoop _loop;
    private readonly VirtioHost _host;
    private readonly List<VirtioMmioTransport> _transports = [];
    private readonly List<IDisposable> _hostEnds = [];
    private readonly List<VirtioNet> _cards = [];
    private readonly List<NetGate> _gates = [];
    private readonly List<ReplicatedDisk> _disks = [];
    private readonly List<VirtioBlk> _blockDevices = [];

    /// <summary>Opens what the configuration names.</summary>
    /// <exception cref="DiskOpenException">A disk cannot be used.</exception>
    /// <exception cref="NetOpenException">A tap cannot be used.</exception>
    public MachineIo(MachineConfig config, KvmVm vm, GuestMemory memory, ILogger logger, TimeProvider time)
    {
        int count = config.Disks.Count + config.Nets.Count + 1 + (config.Console is null ? 0 : 1) + (config.Balloon is null ? 0 : 1);
        if (count > VirtioSlots.Count)
            throw new ArgumentException($"{count} virtio devices, a machine has room for {VirtioSlots.Count}", nameof(config));
        _logger = logger;
        _vm = vm;
        _loop = new EpollLoop("io", e => LogCallback(logger, e.Message, e), time);
        _host = new VirtioHost(memory, _loop, time, line => LogFault(logger, line));
        try
        {
            for (int i = 0; i < config.Disks.Count; i++)
                AddDisk(config.Disks[i], (uint)i);
            for (int i = 0; i < config.Nets.Count; i++)
                AddCard(config.Nets[i], (uint)i);
            Add(new VirtioRng(_host, "rng0"));
            if (config.Console is { } console)
                AddConsole(console);
            if (config.Balloon is { } balloon)
                Add(Balloon = new VirtioBalloon(_host, "balloon0", 0, balloon));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The disks in the guest's order.</summary>
    public IReadOnlyList<ReplicatedDisk> Disks => _disks;

    /// <summary>The cards' gates, in the guest's order.</summary>
    public IReadOnlyList<NetGate> Gates => _gates;

    /// <summary>The devices' windows, for the bus.</summary>
    public IEnumerable<MmioRange> Ranges => _transports.Select(static (transport, place) =>
        new MmioRange(VirtioSlots.Window(place), VirtioSlots.WindowBytes, transport.Device.Identity.Name, transport));

    /// <summary>The devices in the order the guest finds them.</summary>
    public IReadOnlyList<AcpiVirtioDevice> AcpiDevices =>
        [.. _transports.Select(static (_, place) => new AcpiVirtioDevice(VirtioSlots.Window(place), VirtioSlots.WindowBytes, VirtioSlots.Pin(place)))];

    /// <summary>Every virtio device in the order the guest finds them.</summary>
    public IReadOnlyList<VirtioDevice> VirtioDevices => [.. _transports.Select(static transport => transport.Device)];

    /// <summary>The disks in the order of the configuration.</summary>
    public IReadOnlyList<VirtioBlk> BlockDevices => _blockDevices;

    /// <summary>The network cards in the order of the configuration.</summary>
    public IReadOnlyList<VirtioNet> NetworkCards => _cards;

    /// <summary>The place of a device, by the name the user gave it; null when there is none.</summary>
    public int? PlaceOf(string name)
    {
        int place = _transports.FindIndex(transport => transport.Device.Identity.Name == name);
        return place < 0 ? null : place;
    }

    /// <summary>The virtio console; null without one.</summary>
    public VirtioConsole? Console { get; private set; }

    /// <summary>The memory balloon; null without one.</summary>
    public VirtioBalloon? Balloon { get; }

    public IEnumerable<IStateOwner> StateOwners => _transports.Select(static transport => transport.Device);

    /// <summary>Connects the host's ends.</summary>
    public void Start()
    {
        foreach (VirtioNet card in _cards)
            card.Start();
        Console?.Start();
    }

    /// <summary>
    /// Every device stands still, nothing is in flight: state may be captured or replaced. The vCPUs are parked. On failure the devices
    /// that had stopped go on.
    /// </summary>
    /// <exception cref="TimeoutException">The host did not finish a device's requests in time.</exception>
    public void Quiesce(TimeSpan deadline)
    {
        long start = _host.Time.GetTimestamp();
        foreach (VirtioMmioTransport transport in _transports)
        {
            TimeSpan left = deadline - _host.Time.GetElapsedTime(start);
            if (transport.Device.TryQuiesce(left > TimeSpan.Zero ? left : TimeSpan.Zero))
                continue;
            Resume();
            throw new TimeoutException($"{transport.Device.Identity.Name}: the host did not finish its requests within {deadline.TotalSeconds:0.#} s");
        }
    }

    /// <summary>Every device goes on, and looks at its queues. Without a quiesce it does nothing.</summary>
    public void Resume()
    {
        foreach (VirtioMmioTransport transport in _transports)
            transport.Device.Resume();
    }

    /// <summary>Every device returns to its power-on state; the vCPUs are parked.</summary>
    public void Reset()
    {
        foreach (VirtioMmioTransport transport in _transports)
            transport.Device.Reset();
    }

    /// <summary>Secondary: from here on what the guest does to disks and network is provisional. Nothing is in flight.</summary>
    /// <exception cref="IOException">There is no place for what the guest writes on its own.</exception>
    public void BeginSpeculation()
    {
        foreach (ReplicatedDisk disk in _disks)
            disk.BeginSpeculation();
        foreach (NetGate gate in _gates)
            gate.Speculate();
    }

    /// <summary>Secondary, with its guest stopped: an epoch goes live, and what the guest did on its own never happened.</summary>
    public void DropSpeculation()
    {
        foreach (ReplicatedDisk disk in _disks)
            disk.DropSpeculation();
        foreach (NetGate gate in _gates)
            gate.DropSpeculation();
    }

    /// <summary>Takeover: what the guest did on its own since the last epoch becomes true.</summary>
    public void EndSpeculation()
    {
        foreach (ReplicatedDisk disk in _disks)
            disk.EndSpeculation();
        OpenGates();
    }

    /// <summary>Primary: from here on what the guest sends waits for its epoch.</summary>
    /// <param name="waits">Told of the first frame of an epoch; any thread, returns at once.</param>
    /// <param name="pressure">Asks for a checkpoint; so too.</param>
    public void BeginOutputCommit(Action waits, Action pressure)
    {
        foreach (NetGate gate in _gates)
            gate.Hold(waits, pressure);
    }

    /// <summary>Primary, at the cut: what was sent up to here belongs to the epoch.</summary>
    public void MarkCut()
    {
        foreach (NetGate gate in _gates)
            gate.MarkCut();
    }

    /// <summary>Primary: the peer has the epoch of the last cut, its output leaves. Any thread.</summary>
    public void CommitOutput()
    {
        for (int i = 0; i < _gates.Count; i++)
        {
            if (_gates[i].ReleaseCut())
                _cards[i].ContinueSending();
        }
    }

    /// <summary>The pair is no more: everything that waits leaves.</summary>
    public void EndOutputCommit() => OpenGates();

    /// <summary>Disks that had to keep their guest waiting need not any more. Any thread.</summary>
    public void ContinueDisks()
    {
        foreach (VirtioBlk device in _blockDevices)
            device.Continue();
    }

    /// <summary>Tells the network that the guest is here now; the guest runs.</summary>
    public void Announce()
    {
        foreach (VirtioNet card in _cards)
            card.Announce();
    }

    /// <summary>Finishes what is in flight and closes the host's ends; no vCPU runs any more.</summary>
    public void Dispose()
    {
        foreach (VirtioMmioTransport transport in _transports)
        {
            if (!transport.Device.TryQuiesce(s_closeDeadline))
                LogStuck(_logger, transport.Device.Identity.Name);
            transport.Dispose();
        }

        _loop.Dispose();
        foreach (VirtioMmioTransport transport in _transports)
            transport.Device.Dispose();
        foreach (IDisposable end in _hostEnds)
            end.Dispose();
    }

    private void AddDisk(DiskConfig config, uint instance)
    {
        var image = RawDisk.Open(config.Path, config.IsReadOnly, config.Id);
        var disk = new ReplicatedDisk(image, ScratchFile.FolderFor(config.Path), line => LogDisk(_logger, line));
        _hostEnds.Add(disk);
        _disks.Add(disk);
        var device = new VirtioBlk(_host, new VirtioBlkConfig(config.Id, instance, config.Id), disk);
        _blockDevices.Add(device);
        Add(device);
    }

    private void OpenGates()
    {
        for (int i = 0; i < _gates.Count; i++)
        {
            if (_gates[i].Open())
                _cards[i].ContinueSending();
        }
    }

    private void AddCard(NetConfig config, uint instance)
    {
        var gate = new NetGate(TapDevice.Open(config.InterfaceName, _loop));
        _hostEnds.Add(gate);
        _gates.Add(gate);
        var card = new VirtioNet(_host, new VirtioNetConfig(config.Id, instance, config.Address), gate);
        _cards.Add(card);
        Add(card);
    }

    private void AddConsole(ISerialBackend backend)
    {
        _hostEnds.Add(backend);
        Console = new VirtioConsole(_host, "console0", 0, backend);
        Add(Console);
    }

    private void Add(VirtioDevice device)
    {
        int place = _transports.Count;
        var transport = new VirtioMmioTransport(device, new KvmInterruptLine(_vm, VirtioSlots.Pin(place)));
        _transports.Add(transport);
        transport.AttachNotifier(new KvmQueueNotifier(_vm, VirtioSlots.Window(place)), _loop);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Line}")]
    private static partial void LogFault(ILogger logger, string line);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Line}")]
    private static partial void LogDisk(ILogger logger, string line);

    [LoggerMessage(Level = LogLevel.Error, Message = "the I/O thread caught: {Why}")]
    private static partial void LogCallback(ILogger logger, string why, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Device}: its requests did not end, they are left to the host")]
    private static partial void LogStuck(ILogger logger, string device);
}
