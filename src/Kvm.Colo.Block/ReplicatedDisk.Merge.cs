using Kvm.Colo.Native;

namespace Kvm.Colo.Block;

/// <content>
/// The takeover: the overlay becomes part of the image while the guest runs. Reads go on as before. A write to sectors that are not merged
/// yet waits until they are, and a flush until all are, so the set only shrinks and the merge comes to its end.
/// </content>
internal sealed partial class ReplicatedDisk
{
    private static readonly TimeSpan s_retryInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_closeDeadline = TimeSpan.FromSeconds(60);

    private readonly ManualResetEventSlim _settled = new(initialState: true, spinCount: 0);
    private bool _mergeFails;

    /// <summary>Makes what the guest here wrote on its own true. Returns at once; the merge goes on behind it.</summary>
    public void EndSpeculation()
    {
        lock (_lock)
        {
            if (_mode != ReplicatedDiskMode.Speculative)
                return;
            _mode = ReplicatedDiskMode.Merging;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Waits until a merge has come to its end; false when that takes longer.</summary>
    public bool WaitUntilMerged(TimeSpan deadline) => _settled.Wait(deadline);

    private void WriteWhileMerging(BlockRequest request, ulong first, ulong count)
    {
        lock (_lock)
        {
            if (_mode == ReplicatedDiskMode.Merging && WaitsForMerge(request, first, count))
            {
                _held.Add(request);
                Monitor.PulseAll(_lock);
                return;
            }
        }

        SubmitRecorded(request, first, count);
    }

    private bool WaitsForMerge(BlockRequest request, ulong first, ulong count) =>
        request.Operation == BlockOperation.Flush || request.IsDurable
        ? _overlaid!.Count > 0 || _overlayWrites > 0
        : _overlaid!.Overlaps(first, count);

    // True when the merge is complete, or given up because the disk closes.
    private bool MergeOne(byte[] piece)
    {
        ulong first;
        ulong count;
        lock (_lock)
        {
            if (_overlaid!.Count == 0 && _overlayWrites + _overlayReads + _mixed > 0)
            {
                Monitor.Wait(_lock);
                return false;
            }

            first = FirstToMerge();
            count = first < SectorCount ? Math.Min(_overlaid.NextClear(first) - first, (ulong)piece.Length / SectorBytes) : 0;
        }

        if (count == 0)
        {
            FinishMerge();
            return true;
        }

        Span<byte> part = piece.AsSpan(0, (int)count * SectorBytes);
        Errno result = _overlay!.Read(first * SectorBytes, part);
        if (result == Errno.None)
            result = _image.Write(first * SectorBytes, part);
        return result == Errno.None ? OnMerged(first, count) : OnMergeFailed(result);
    }

    // What a request waits for goes first.
    private ulong FirstToMerge()
    {
        for (BlockRequest? request = _held.First; request is not null; request = request.Next)
        {
            TryRange(request, out ulong first, out ulong count);
            if (_overlaid!.Overlaps(first, count))
                return _overlaid.NextSet(first);
        }

        return _overlaid!.NextSet(0);
    }

    private bool OnMerged(ulong first, ulong count)
    {
        BlockRequestQueue released;
        lock (_lock)
        {
            _overlaid!.Remove(first, count);
            _mergeFails = false;
            if (_held.Count == 0)
                return false;
            released = TakeReleased();
        }

        SubmitAll(released);
        return false;
    }

    // Nothing is lost: reads find it in the overlay. What waits is told, and it is tried again, at once when the guest does.
    private bool OnMergeFailed(Errno result)
    {
        BlockRequestQueue failed;
        bool isFirst;
        lock (_lock)
        {
            failed = _held.TakeAll();
            isFirst = !_mergeFails;
            _mergeFails = true;
        }

        if (isFirst)
            _report($"disk {Name}: {new NativeException("the takeover's data cannot be written", result).Message}; trying again");
        while (failed.TakeFirst() is { } request)
            request.Complete(result);
        lock (_lock)
        {
            if (!_isClosing)
                Monitor.Wait(_lock, s_retryInterval);
            return _isClosing;
        }
    }

    private void FinishMerge()
    {
        RawDisk overlay = _overlay!;
        BlockRequestQueue released;
        lock (_lock)
        {
            _mode = ReplicatedDiskMode.Ordinary;
            _overlaid!.Dispose();
            _overlaid = null;
            _overlay = null;
            released = TakeReleased();
        }

        SubmitAll(released);
        overlay.Dispose();
        if (_image.FlushNow() is var result && result != Errno.None)
            _report($"disk {Name}: {new NativeException("fdatasync", result).Message}");
        _settled.Set();
    }

    // An overlay that was not merged dies with the secondary it belonged to.
    private void EndOverlay()
    {
        Thread? thread;
        lock (_lock)
        {
            _isClosing = true;
            thread = _overlayThread;
            Monitor.PulseAll(_lock);
        }

        if (thread?.Join(s_closeDeadline) == false)
            throw new TimeoutException($"disk {Name}: the merge did not end within {s_closeDeadline.TotalSeconds} s");
        _overlay?.Dispose();
        _overlaid?.Dispose();
        _settled.Dispose();
    }
}
