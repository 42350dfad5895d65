using System.Buffers.Binary;
using System.Text;
using Kvm.Colo.Block;
using static Kvm.Colo.Devices.Virtio.Blk.VirtioBlkProtocol;

namespace Kvm.Colo.Devices.Virtio.Blk;

/// <summary>
/// Block device (virtio 1.2, section 5.2) over any block node. Requests run side by side; whoever completes them hands them to
/// the I/O thread, which reports all that have ended with one interrupt. Errors of the host become errors of the request.
/// </summary>
internal sealed partial class VirtioBlk : VirtioDevice
{
    public const uint VirtioId = 2;
    public const ushort QueueSize = 256;

    /// <summary>The largest transfer; Linux asks for at most 1.25 MiB unless told otherwise.</summary>
    public const ulong MaxTransferBytes = 64ul << 20;

    /// <summary>
    /// The largest write-zeroes and discard: a host that must write the zeroes itself does it within a checkpoint's patience, and an
    /// epoch's disk data stays bounded.
    /// </summary>
    public const uint MaxZeroedSectors = (64 << 20) / SectorBytes;

    private static readonly TimeSpan s_resetPatience = TimeSpan.FromSeconds(10);
    private readonly IBlockNode _node;
    private readonly VirtioBlkState _current;
    private readonly VirtioBlkState _staged;
    private readonly byte[] _configuration = new byte[ConfigBytes];
    private readonly byte[] _id = new byte[IdBytes];
    private readonly Action<VirtioBlkSlot> _slotCompleted;
    private readonly Action _harvest;
    private readonly object _doneLock = new();
    private VirtioBlkSlot? _free;
    private VirtioBlkSlot? _doneFirst;
    private VirtioBlkSlot? _doneLast;
    private int _slotCount;
    private int _inFlight;
    private bool _harvestPosted;
    private bool _isStarved;

    public VirtioBlk(VirtioHost host, VirtioBlkConfig config, IBlockNode node)
        : base(host, new VirtioIdentity(VirtioId, "virtio-blk", config.InstanceId, config.Name), FeaturesOf(node), [QueueSize])
    {
        _node = node;
        _current = new VirtioBlkState(OfferedFeatures, QueueSizes, node.CapacityBytes);
        _staged = new VirtioBlkState(OfferedFeatures, QueueSizes, node.CapacityBytes);
        _slotCompleted = OnSlotCompleted;
        _harvest = OnHarvest;
        Encoding.ASCII.TryGetBytes(config.Serial.AsSpan(0, Math.Min(config.Serial.Length, IdBytes)), _id, out _);
        FillConfiguration();
    }

    /// <summary>What the guest asked for so far.</summary>
    public VirtioBlkCounters Counters { get; } = new();

    /// <summary>The disk's length.</summary>
    public ulong CapacityBytes => _node.CapacityBytes;

    /// <summary>Requests that are with the host.</summary>
    public int InFlight
    {
        get
        {
            lock (_doneLock)
                return _inFlight;
        }
    }

    protected override VirtioDeviceState CurrentState => _current;

    protected override VirtioDeviceState StagedState => _staged;

    /// <summary>The node is congested no more. Any thread.</summary>
    public void Continue() => Notify(0);

    public override void ReadConfiguration(int offset, Span<byte> data)
    {
        data.Clear();
        if (offset < _configuration.Length)
            _configuration.AsSpan(offset, Math.Min(data.Length, _configuration.Length - offset)).CopyTo(data);
    }

    protected override void OnNotify(int queue)
    {
        Virtqueue requests = Queue(0);
        int turn = requests.Size;
        do
        {
            while (turn > 0 && !_node.IsCongested && TryTakeSlot(out VirtioBlkSlot? slot))
            {
                turn--;
                if (!TryTake(requests, slot.Chain))
                {
                    Release(slot);
                    break;
                }

                Begin(slot);
            }
        }
        while (turn > 0 && !_isStarved && !_node.IsCongested && TryRearm(requests));

        Finish();
        if (turn == 0 || (_isStarved && _free is not null))
            Reschedule(0);
    }

    protected override bool TryOnReset()
    {
        if (!WaitForRequests(s_resetPatience))
            return false;
        for (VirtioBlkSlot? slot = TakeDone(); slot is not null;)
        {
            VirtioBlkSlot? next = slot.Next;
            slot.Chain.MarkWritten(Memory, slot.FilledBytes);
            Release(slot);
            slot = next;
        }

        return true;
    }

    protected override bool TryDrain(TimeSpan deadline)
    {
        if (!WaitForRequests(deadline))
            return false;
        lock (Gate)
            Finish();
        return true;
    }

    protected override void OnCapture() => _current.CapacityBytes = _node.CapacityBytes;

    private static ulong FeaturesOf(IBlockNode node)
    {
        const ulong always = FeatureSegMax | FeatureBlockSize | FeatureFlush;
        return always | (node.IsReadOnly ? FeatureReadOnly : FeatureDiscard | FeatureWriteZeroes);
    }

    private void FillConfiguration()
    {
        uint maxSectors = (uint)Math.Min(_node.CapacityBytes / SectorBytes, uint.MaxValue / 2);
        BinaryPrimitives.WriteUInt64LittleEndian(_configuration.AsSpan(ConfigCapacity), _node.CapacityBytes / SectorBytes);
        WriteField(ConfigSegMax, QueueSize - 2u);
        WriteField(ConfigBlockSize, SectorBytes);
        if (_node.IsReadOnly)
            return;
        WriteField(ConfigMaxDiscardSectors, Math.Min(maxSectors, MaxZeroedSectors));
        WriteField(ConfigMaxDiscardSegments, 1);
        WriteField(ConfigDiscardAlignment, 4096 / SectorBytes);
        WriteField(ConfigMaxWriteZeroesSectors, Math.Min(maxSectors, MaxZeroedSectors));
        WriteField(ConfigMaxWriteZeroesSegments, 1);
        _configuration[ConfigWriteZeroesMayUnmap] = 1;
    }

    private void WriteField(int offset, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(_configuration.AsSpan(offset), value);
}
