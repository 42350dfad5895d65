using System.Buffers.Binary;
using Kvm.Colo.Memory;

namespace Kvm.Colo.Devices.Virtio.Balloon;

/// <summary>
/// Memory balloon (virtio 1.2, section 5.5) with free page reporting. Pages the guest gives up go back to the host and read as zeros
/// until the guest uses them again, which needs no word to the device: MUST_TELL_HOST is not offered. Statistics and free page hints
/// are not either, so the reporting queue follows the two of the balloon.
/// </summary>
internal sealed class VirtioBalloon : VirtioDevice
{
    public const uint VirtioId = 5;
    public const ushort QueueSize = 128;

    /// <summary>Balloon pages have 4 KiB, whatever the guest's own size is.</summary>
    public const int PageShift = 12;

    public const ulong DeflateOnOom = 1ul << 2;
    public const ulong PageReporting = 1ul << 5;

    private const int InflateQueue = 0;
    private const int ReportingQueue = 2;
    private const int ActualOffset = 4;
    private const int ConfigurationBytes = 8;
    private const int PageNumberBytes = sizeof(uint);

    // What is taken of one chain; drivers send 256 to 1,024 pages in a chain of the balloon and 128 MiB in one of reports.
    private const int MaxChainPageNumbers = 1024;
    private const ulong MaxChainReportBytes = 1ul << 30;

    // What one turn on the lock may cost, in runs of pages given back; each is a system call that takes some ten microseconds.
    private const int MaxTurnRuns = 512;

    private readonly VirtioBalloonState _current;
    private readonly VirtioBalloonState _staged;
    private readonly VirtqueueChain _chain = new(QueueSize);
    private readonly byte[] _pageNumbers = new byte[256 * PageNumberBytes];
    private uint _targetPages;
    private uint _actualPages;

    public VirtioBalloon(VirtioHost host, string name, uint instanceId, VirtioBalloonConfig config)
        : base(
            host,
            new VirtioIdentity(VirtioId, "virtio-balloon", instanceId, name),
            (config.DeflatesOnOom ? DeflateOnOom : 0) | (config.ReportsFreePages ? PageReporting : 0),
            config.ReportsFreePages ? [QueueSize, QueueSize, QueueSize] : [QueueSize, QueueSize])
    {
        _current = new VirtioBalloonState(OfferedFeatures, QueueSizes);
        _staged = new VirtioBalloonState(OfferedFeatures, QueueSizes);
    }

    /// <summary>
    /// Called with the guest's memory in bytes when the driver says that the balloon's size has changed; under the device's lock, it must
    /// not block. Set once, before the guest runs.
    /// </summary>
    public Action<ulong>? Changed { get; set; }

    /// <summary>What the guest has left of its RAM, in bytes.</summary>
    public ulong ActualBytes
    {
        get
        {
            lock (Gate)
                return MemoryWithout(_actualPages);
        }
    }

    /// <summary>Bytes given back to the host so far, by balloon and reports.</summary>
    public ulong DiscardedBytes { get; private set; }

    protected override VirtioDeviceState CurrentState => _current;

    protected override VirtioDeviceState StagedState => _staged;

    /// <summary>Asks the guest to make do with so much of its RAM, in bytes; any thread.</summary>
    public void SetTarget(ulong bytes)
    {
        lock (Gate)
        {
            _targetPages = (uint)((Memory.SizeBytes - Math.Min(bytes, Memory.SizeBytes)) >> PageShift);
            ChangeConfiguration();
        }
    }

    public override void ReadConfiguration(int offset, Span<byte> data)
    {
        Span<byte> all = stackalloc byte[ConfigurationBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(all, _targetPages);
        BinaryPrimitives.WriteUInt32LittleEndian(all[ActualOffset..], _actualPages);
        data.Clear();
        if (offset < ConfigurationBytes)
            all.Slice(offset, Math.Min(data.Length, ConfigurationBytes - offset)).CopyTo(data);
    }

    public override void WriteConfiguration(int offset, ReadOnlySpan<byte> data)
    {
        if (offset != ActualOffset || data.Length != sizeof(uint))
        {
            base.WriteConfiguration(offset, data);
            return;
        }

        uint pages = BinaryPrimitives.ReadUInt32LittleEndian(data);
        bool changes = pages != _actualPages;
        _actualPages = pages;
        if (changes)
            Changed?.Invoke(MemoryWithout(pages));
    }

    protected override void OnNotify(int queue)
    {
        Virtqueue requests = Queue(queue);
        int left = MaxTurnRuns;
        do
        {
            while (left > 0 && TryTake(requests, _chain))
            {
                left -= queue switch
                {
                    InflateQueue => Inflate(),
                    ReportingQueue => TakeReports(),
                    _ => 1,
                };
                requests.Push(_chain.Head, 0);
            }
        }
        while (left > 0 && TryRearm(requests));

        Publish(requests);
        if (left <= 0)
            Reschedule(queue);
    }

    // The driver has let go of all pages, or is gone with them; the host's wish stands.
    protected override bool TryOnReset()
    {
        _actualPages = 0;
        return true;
    }

    protected override void OnCapture()
    {
        _current.TargetPages = _targetPages;
        _current.ActualPages = _actualPages;
    }

    protected override string? OnApply()
    {
        _targetPages = _staged.TargetPages;
        _actualPages = _staged.ActualPages;
        return null;
    }

    private ulong MemoryWithout(uint pages) => Memory.SizeBytes - Math.Min((ulong)pages << PageShift, Memory.SizeBytes);

    // Neighbours are given back together: a guest that inflates much at once gives them up and down in a row.
    private int Inflate()
    {
        ulong count = Math.Min(_chain.ReadableBytes / PageNumberBytes, MaxChainPageNumbers);
        ulong first = 0;
        ulong length = 0;
        int runs = 1;
        for (ulong done = 0; done < count;)
        {
            int part = (int)Math.Min(count - done, (ulong)_pageNumbers.Length / PageNumberBytes);
            Span<byte> piece = _pageNumbers.AsSpan(0, part * PageNumberBytes);
            if (_chain.Read(Memory, done * PageNumberBytes, piece) < piece.Length)
                break;
            for (int i = 0; i < part; i++)
            {
                ulong page = BinaryPrimitives.ReadUInt32LittleEndian(piece[(i * PageNumberBytes)..]);
                if (page - first < length)
                    continue;
                if (length > 0 && page + 1 == first)
                {
                    first = page;
                    length++;
                }
                else if (length > 0 && page == first + length)
                {
                    length++;
                }
                else
                {
                    Discard(first << PageShift, length << PageShift);
                    (first, length) = (page, 1);
                    runs++;
                }
            }

            done += (ulong)part;
        }

        Discard(first << PageShift, length << PageShift);
        return runs;
    }

    // A report is a hint: what is more than one takes, or no whole page, stays with the guest.
    private int TakeReports()
    {
        ulong left = MaxChainReportBytes;
        foreach (GuestSegment segment in _chain.Writable)
        {
            const ulong Mask = (1ul << PageShift) - 1;
            ulong start = (segment.Address.Value + Mask) & ~Mask;
            ulong end = (segment.Address.Value + segment.LengthBytes) & ~Mask;
            ulong length = end > start ? Math.Min(end - start, left) : 0;
            left -= length;
            Discard(start, length);
        }

        return Math.Max(1, _chain.Writable.Length);
    }

    private void Discard(ulong address, ulong lengthBytes)
    {
        if (lengthBytes == 0)
            return;
        if (Memory.TryDiscard(new GuestPhysicalAddress(address), lengthBytes))
            DiscardedBytes += lengthBytes;
        else
            Faults.Report("the balloon was given what is not RAM", address);
    }
}
