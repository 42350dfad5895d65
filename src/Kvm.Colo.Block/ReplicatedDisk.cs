using Kvm.Colo.Native;

namespace Kvm.Colo.Block;

/// <summary>
/// A raw image of a guest that may be protected. On a primary it records which sectors are written; on a secondary it keeps its guest's
/// own writes away from the image until a takeover makes them true. Otherwise it is the image. Requests come from any thread, the
/// session's calls from its one thread. Lock order: device, this.
/// </summary>
internal sealed partial class ReplicatedDisk : IBlockNode
{
    public const int SectorBytes = RawDisk.SectorBytes;

    private readonly RawDisk _image;
    private readonly string _scratchFolder;
    private readonly Action<string> _report;
    private readonly object _lock = new();
    private volatile ReplicatedDiskMode _mode;
    private BlockRequestQueue _held;

    /// <summary>Takes the image over.</summary>
    /// <param name="image">What the disk is.</param>
    /// <param name="scratchFolder">Where overlays lie.</param>
    /// <param name="report">Takes a line for a person when the image fails outside any request; any thread.</param>
    public ReplicatedDisk(RawDisk image, string scratchFolder, Action<string> report)
    {
        _image = image;
        _scratchFolder = scratchFolder;
        _report = report;
        _onImageWritten = OnImageWritten;
        _onOverlayRead = OnOverlayRead;
        _onOverlayWritten = OnOverlayWritten;
    }

    public string Name => _image.Name;

    public ulong CapacityBytes => _image.CapacityBytes;

    public ulong SectorCount => CapacityBytes / SectorBytes;

    public bool IsReadOnly => _image.IsReadOnly;

    public ReplicatedDiskMode Mode => _mode;

    /// <summary>The bytes beneath whatever the guest here does on its own.</summary>
    public RawDisk Image => _image;

    public int InFlight
    {
        get
        {
            lock (_lock)
                return _image.InFlight + _held.Count + _mixed + (_overlay?.InFlight ?? 0);
        }
    }

    public void Submit(BlockRequest request)
    {
        if (IsReadOnly || !TryRange(request, out ulong first, out ulong count))
        {
            _image.Submit(request);
            return;
        }

        switch (_mode)
        {
            case ReplicatedDiskMode.Speculative or ReplicatedDiskMode.Merging:
                SubmitOverlaid(request, first, count);
                break;
            default:
                SubmitRecorded(request, first, count);
                break;
        }
    }

    public bool Drain(TimeSpan deadline)
    {
        long start = TimeProvider.System.GetTimestamp();
        RawDisk? overlay;
        lock (_lock)
        {
            while (_held.Count + _mixed > 0)
            {
                TimeSpan left = deadline - TimeProvider.System.GetElapsedTime(start);
                if (left <= TimeSpan.Zero || !Monitor.Wait(_lock, left))
                    return false;
            }

            overlay = _overlay;
        }

        TimeSpan rest = deadline - TimeProvider.System.GetElapsedTime(start);
        return (overlay is null || overlay.Drain(rest)) && _image.Drain(rest);
    }

    public void Dispose()
    {
        EndRecording();
        EndOverlay();
        _image.Dispose();
    }

    // What lies outside the disk has no sectors here; the image refuses it.
    private bool TryRange(BlockRequest request, out ulong first, out ulong count)
    {
        first = request.OffsetBytes / SectorBytes;
        count = request.LengthBytes / SectorBytes;
        if (request.Operation == BlockOperation.Flush)
        {
            first = count = 0;
            return true;
        }

        return request.OffsetBytes <= CapacityBytes
            && request.LengthBytes <= CapacityBytes - request.OffsetBytes
            && (request.OffsetBytes | request.LengthBytes) % SectorBytes == 0;
    }

    // Takes out of the waiting list, in order, what waits for nothing any more, as a queue of its own. The lock is held.
    private BlockRequestQueue TakeReleased()
    {
        BlockRequestQueue released = default;
        BlockRequestQueue held = _held.TakeAll();
        while (held.TakeFirst() is { } request)
        {
            if (MustWait(request))
                _held.Add(request);
            else
                released.Add(request);
        }

        if (_held.Count == 0)
            Monitor.PulseAll(_lock);
        return released;
    }

    private bool MustWait(BlockRequest request)
    {
        TryRange(request, out ulong first, out ulong count);
        return _mode switch
        {
            ReplicatedDiskMode.Recording => _frozen?.Overlaps(first, count) == true,
            ReplicatedDiskMode.Merging => WaitsForMerge(request, first, count),
            _ => false,
        };
    }

    // Without the lock: a request may end inside Submit.
    private void SubmitAll(BlockRequestQueue requests)
    {
        while (requests.TakeFirst() is { } request)
            Submit(request);
    }
}
