using Kvm.Colo.Native;
using Kvm.Colo.Native.Io;

namespace Kvm.Colo.Block;

/// <content>
/// The secondary's side. Its guest's own writes go to an overlay without a name; what is read comes from there where it was written
/// since the last epoch, else from the image. Nothing of it lasts: a flush has nothing to do, a discard is a hint not taken.
/// </content>
internal sealed partial class ReplicatedDisk
{
    private const int PieceBytes = 256 * 1024;

    private readonly Action<BlockRequest> _onOverlayRead;
    private readonly Action<BlockRequest> _onOverlayWritten;
    private RawDisk? _overlay;
    private SectorMap? _overlaid;
    private Thread? _overlayThread;
    private BlockRequestQueue _mixedWaiting;
    private int _mixed;
    private int _overlayReads;
    private int _overlayWrites;
    private bool _isClosing;

    /// <summary>Bytes the guest here has written on its own and that are not in the image.</summary>
    public ulong OverlayBytes
    {
        get
        {
            lock (_lock)
                return (_overlaid?.Count ?? 0) * SectorBytes;
        }
    }

    /// <summary>From here on the guest's writes are provisional. Nothing is in flight.</summary>
    /// <exception cref="IOException">There is no place for an overlay.</exception>
    public void BeginSpeculation()
    {
        if (IsReadOnly || _mode == ReplicatedDiskMode.Speculative)
            return;
        if (_mode != ReplicatedDiskMode.Ordinary)
            throw new InvalidOperationException($"disk {Name} is {_mode}");
        _overlay = RawDisk.CreateScratch(_scratchFolder, CapacityBytes, $"{Name}-overlay");
        _overlaid = new SectorMap(SectorCount);
        _isClosing = false;
        _settled.Reset();
        _overlayThread = new Thread(WorkOnOverlay) { Name = $"disk-{Name}-merge", IsBackground = true };
        _mode = ReplicatedDiskMode.Speculative;
        _overlayThread.Start();
    }

    /// <summary>An epoch goes live: what the guest here wrote on its own never happened. Nothing is in flight.</summary>
    public void DropSpeculation()
    {
        lock (_lock)
        {
            if (_mode != ReplicatedDiskMode.Speculative || _overlaid!.Count == 0)
                return;
            _overlaid.Clear();
        }

        _overlay!.Discard(0, CapacityBytes);
    }

    private void SubmitOverlaid(BlockRequest request, ulong first, ulong count)
    {
        switch (request.Operation)
        {
            case BlockOperation.Read:
                Read(request, first, count);
                break;
            case BlockOperation.Flush or BlockOperation.Discard when _mode == ReplicatedDiskMode.Speculative:
                request.Complete(Errno.None);
                break;
            default:
                if (!TryWriteOverlay(request))
                    WriteWhileMerging(request, first, count);
                break;
        }
    }

    private bool TryWriteOverlay(BlockRequest request)
    {
        lock (_lock)
        {
            if (_mode != ReplicatedDiskMode.Speculative)
                return false;
            _overlayWrites++;
        }

        request.IsDurable = false;
        request.Intercept = _onOverlayWritten;
        _overlay!.Submit(request);
        return true;
    }

    private void Read(BlockRequest request, ulong first, ulong count)
    {
        RawDisk source = _image;
        lock (_lock)
        {
            if (_overlaid is not null && _overlaid.Overlaps(first, count))
            {
                if (_overlaid.NextSet(first) > first || _overlaid.NextClear(first) - first < count)
                {
                    _mixedWaiting.Add(request);
                    _mixed++;
                    Monitor.PulseAll(_lock);
                    return;
                }

                source = _overlay!;
                request.Intercept = _onOverlayRead;
                _overlayReads++;
            }
        }

        source.Submit(request);
    }

    private void OnOverlayRead(BlockRequest request)
    {
        lock (_lock)
        {
            _overlayReads--;
            Monitor.PulseAll(_lock);
        }
    }

    private void OnOverlayWritten(BlockRequest request)
    {
        lock (_lock)
        {
            if (request.Result == Errno.None && TryRange(request, out ulong first, out ulong count))
                _overlaid!.Add(first, count);
            _overlayWrites--;
            Monitor.PulseAll(_lock);
        }
    }

    // Reads that lie partly in the overlay, then, after a takeover, the merge.
    private void WorkOnOverlay()
    {
        byte[] piece = new byte[PieceBytes];
        while (true)
        {
            BlockRequest? mixed;
            lock (_lock)
            {
                while (_mixedWaiting.Count == 0 && _mode == ReplicatedDiskMode.Speculative && !_isClosing)
                    Monitor.Wait(_lock);
                mixed = _mixedWaiting.TakeFirst();
                if (mixed is null && _isClosing && _mode == ReplicatedDiskMode.Speculative)
                    return;
            }

            if (mixed is not null)
                ReadMixed(mixed, piece);
            else if (MergeOne(piece))
                return;
        }
    }

    private void ReadMixed(BlockRequest request, byte[] piece)
    {
        Errno result = Errno.None;
        while (request.Vectors.RemainingBytes > 0 && result == Errno.None)
        {
            ulong at = request.OffsetBytes + (request.LengthBytes - request.Vectors.RemainingBytes);
            RawDisk source = SourceAt(at, out ulong bytes);
            int length = (int)Math.Min(Math.Min(bytes, (ulong)piece.Length), request.Vectors.RemainingBytes);
            Span<byte> part = piece.AsSpan(0, length);
            result = source.Read(at, part);
            if (result != Errno.None)
                break;
            request.Vectors.CopyFrom(part);
            request.Vectors.Advance((ulong)length);
        }

        request.Complete(result);
        lock (_lock)
        {
            _mixed--;
            Monitor.PulseAll(_lock);
        }
    }

    private RawDisk SourceAt(ulong offset, out ulong bytes)
    {
        ulong sector = offset / SectorBytes;
        lock (_lock)
        {
            ulong next = _overlaid!.NextSet(sector);
            bool isOverlaid = next == sector;
            bytes = ((isOverlaid ? _overlaid.NextClear(sector) : next) - sector) * SectorBytes;
            return isOverlaid ? _overlay! : _image;
        }
    }
}
