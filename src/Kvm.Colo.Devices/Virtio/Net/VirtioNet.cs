using System.Buffers.Binary;
using Kvm.Colo.Native;
using Kvm.Colo.Native.Io;
using Kvm.Colo.Net;
using static Kvm.Colo.Devices.Virtio.Net.VirtioNetProtocol;

namespace Kvm.Colo.Devices.Virtio.Net;

/// <summary>
/// Network card (virtio 1.2, section 5.1) with one queue pair and a control queue, on any backend. Each frame is copied once
/// between guest memory and a buffer of the card, so nobody looks at bytes the guest can still change.
/// </summary>
internal sealed partial class VirtioNet : VirtioDevice
{
    public const uint VirtioId = 1;
    public const ushort QueueSize = 256;
    public const ushort ControlQueueSize = 64;
    private const int ReceiveQueue = 0;
    private const int TransmitQueue = 1;
    private const int ControlQueue = 2;

    private readonly INetBackend _backend;
    private readonly VirtioNetState _current;
    private readonly VirtioNetState _staged;
    private readonly VirtqueueChain _chain = new(QueueSize);
    private readonly byte[] _transmitFrame = new byte[VnetHeader.MaxFrameBytes];
    private readonly byte[] _receiveFrame = new byte[VnetHeader.MaxFrameBytes];
    private readonly IIoTimer _announceTimer;
    private MacAddress _address;
    private bool _isPlugged = true;
    private bool _isLost;
    private bool _isAnnouncing;

    public VirtioNet(VirtioHost host, VirtioNetConfig config, INetBackend backend)
        : base(
            host,
            new VirtioIdentity(VirtioId, "virtio-net", config.InstanceId, config.Name),
            FeaturesOf(config),
            [QueueSize, QueueSize, ControlQueueSize])
    {
        _backend = backend;
        _address = config.Address;
        _current = new VirtioNetState(OfferedFeatures, QueueSizes);
        _staged = new VirtioNetState(OfferedFeatures, QueueSizes);
        _announceTimer = host.Loop.CreateTimer(OnAnnounceTimer);
    }

    public MacAddress Address
    {
        get
        {
            lock (Gate)
                return _address;
        }
    }

    public VirtioNetCounters Counters { get; } = new();

    protected override VirtioDeviceState CurrentState => _current;

    protected override VirtioDeviceState StagedState => _staged;

    /// <summary>Whether the cable is plugged in and leads somewhere on this host; what the other host had is no matter.</summary>
    public bool IsLinkUp
    {
        get
        {
            lock (Gate)
                return HasLink;
        }
    }

    /// <summary>Whether the host took the interface away, for good.</summary>
    public bool IsLost
    {
        get
        {
            lock (Gate)
                return _isLost;
        }
    }

    private bool HasLink => _isPlugged && !_isLost;

    private ushort LinkStatus => (ushort)((HasLink ? StatusLinkUp : 0) | (_isAnnouncing ? StatusAnnounce : 0));

    /// <summary>Connects the backend. Called once, before the guest runs.</summary>
    public void Start() => _backend.Start(OnReadable, OnLost);

    /// <summary>The backend has room again. Any thread.</summary>
    public void ContinueSending() => Notify(TransmitQueue);

    /// <summary>
    /// Plugs or unplugs the cable: the guest is told, and what comes either way meanwhile is dropped. Without an interface the link stays
    /// down.
    /// </summary>
    public void SetLink(bool isUp)
    {
        lock (Gate)
        {
            bool wasUp = HasLink;
            _isPlugged = isUp;
            OnLinkMoved(wasUp);
        }
    }

    public override void ReadConfiguration(int offset, Span<byte> data)
    {
        Span<byte> configuration = stackalloc byte[ConfigBytes];
        _address.Write(configuration);
        BinaryPrimitives.WriteUInt16LittleEndian(configuration[ConfigStatus..], LinkStatus);
        BinaryPrimitives.WriteUInt16LittleEndian(configuration[ConfigQueuePairs..], 1);
        data.Clear();
        if (offset < ConfigBytes)
            configuration.Slice(offset, Math.Min(data.Length, ConfigBytes - offset)).CopyTo(data);
    }

    protected override void OnActivate()
    {
        Errno refused = SetOffloads(AcceptedOffloads());
        if (refused != Errno.None)
        {
            HostErrors.Report("the offloads were refused with this errno", (ulong)refused);
            Fail("the host cannot do what was negotiated");
            return;
        }

        UpdateReceiving();
    }

    protected override bool TryOnReset()
    {
        _backend.SetReceiving(false);
        _backend.SetOffloads(NetOffloads.None);
        _heldBytes = 0;
        _waitsForBuffers = false;
        _isAnnouncing = false;
        return true;
    }

    protected override void OnNotify(int queue)
    {
        switch (queue)
        {
            case ReceiveQueue:
                OnReceiveBuffers();
                break;
            case TransmitQueue:
                Transmit();
                break;
            default:
                Control();
                break;
        }
    }

    protected override void OnQuiesce() => UpdateReceiving();

    protected override void OnResume() => UpdateReceiving();

    protected override void OnCapture()
    {
        _address.Write(_current.Address);
        _current.LinkStatus = LinkStatus;
    }

    protected override string? OnApply()
    {
        _address = MacAddress.Read(_staged.Address);
        _isAnnouncing = (_staged.LinkStatus & StatusAnnounce) != 0;

        // The guest knows the other host's cable. It is told when it runs here, where the cable is our own.
        if ((_staged.LinkStatus & StatusLinkUp) != 0 != HasLink)
            ChangeConfiguration();
        _heldBytes = 0;
        _waitsForBuffers = false;
        Errno refused = SetOffloads(IsActive ? AcceptedOffloads() : NetOffloads.None);
        return refused == Errno.None ? null : new NativeException("TUNSETOFFLOAD", refused).Message;
    }

    protected override void Dispose(bool disposing)
    {
        _announceTimer.Dispose();
        base.Dispose(disposing);
    }

    private static ulong FeaturesOf(VirtioNetConfig config)
    {
        const ulong always = FeatureMac | FeatureMergeableBuffers | FeatureStatus | FeatureControlQueue | FeatureGuestAnnounce;
        const ulong offloads = FeatureChecksum | FeatureGuestChecksum | FeatureGuestTso4 | FeatureGuestTso6 | FeatureGuestEcn
            | FeatureHostTso4 | FeatureHostTso6 | FeatureHostEcn;
        return always | (config.OfferOffloads ? offloads : 0);
    }

    private NetOffloads AcceptedOffloads()
    {
        if ((DriverFeatures & FeatureGuestChecksum) == 0)
            return NetOffloads.None;
        NetOffloads offloads = NetOffloads.Checksum;
        if ((DriverFeatures & FeatureGuestTso4) != 0)
            offloads |= NetOffloads.Tso4;
        if ((DriverFeatures & FeatureGuestTso6) != 0)
            offloads |= NetOffloads.Tso6;
        if ((DriverFeatures & FeatureGuestEcn) != 0 && (offloads & (NetOffloads.Tso4 | NetOffloads.Tso6)) != 0)
            offloads |= NetOffloads.TsoEcn;
        return offloads;
    }

    private void OnLost()
    {
        lock (Gate)
            Lose();
    }

    // Without an interface the card is one whose cable is out, whoever notices first: the backend, a driver that starts, or a load.
    private void Lose()
    {
        if (_isLost)
            return;
        HostErrors.Report("the interface is gone");
        bool wasUp = HasLink;
        _isLost = true;
        OnLinkMoved(wasUp);
    }

    private Errno SetOffloads(NetOffloads offloads)
    {
        Errno refused = _backend.SetOffloads(offloads);
        if (refused != Errno.ENODEV)
            return refused;
        Lose();
        return Errno.None;
    }

    private void OnLinkMoved(bool wasUp)
    {
        if (HasLink == wasUp)
            return;
        if (!wasUp)
            DropWaiting();
        ChangeConfiguration();
        UpdateReceiving();
    }
}
