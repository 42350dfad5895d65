namespace Kvm.Colo.Block;

/// <content>
/// The primary's side. Writes go to the image at once; the sectors they touch are dirty once they have ended. At a cut the dirty set is
/// frozen: until the session has read a frozen sector, a write to it waits, so what is read is what the disk held at the cut and the
/// pause costs nothing but an exchange of two sets.
/// </content>
internal sealed partial class ReplicatedDisk
{
    /// <summary>Dirty bytes from which on a checkpoint is asked for.</summary>
    public const ulong PressureBytes = 8ul << 20;

    /// <summary>Dirty bytes from which on the guest's requests stay in its queue until a cut.</summary>
    public const ulong CongestionBytes = 32ul << 20;

    private readonly Action<BlockRequest> _onImageWritten;
    private SectorMap? _dirty;
    private SectorMap? _frozen;
    private ulong _writingBytes;
    private Action? _pressure;
    private bool _isLimited;
    private bool _hasPressed;
    private volatile bool _isCongested;

    public bool IsCongested => _isCongested;

    /// <summary>Bytes written since the last cut.</summary>
    public ulong DirtyBytes
    {
        get
        {
            lock (_lock)
                return (_dirty?.Count ?? 0) * SectorBytes;
        }
    }

    /// <summary>From here on what the guest writes is recorded. In <see cref="ReplicatedDiskMode.Ordinary"/> only.</summary>
    /// <param name="pressure">Called, on any thread, once per epoch in which much is written; must return at once.</param>
    public void BeginRecording(Action pressure)
    {
        lock (_lock)
        {
            if (_mode != ReplicatedDiskMode.Ordinary)
                throw new InvalidOperationException($"disk {Name} is {_mode}");
            _dirty = new SectorMap(SectorCount);
            _frozen = new SectorMap(SectorCount);
            _pressure = pressure;
            _isLimited = _hasPressed = _isCongested = false;
            _mode = ReplicatedDiskMode.Recording;
        }
    }

    /// <summary>From here on the guest may not write more than the session carries away.</summary>
    public void LimitEpochs()
    {
        lock (_lock)
            _isLimited = true;
        UpdatePressure();
    }

    /// <summary>The pair is no more: what waits goes on.</summary>
    public void EndRecording()
    {
        BlockRequestQueue released;
        lock (_lock)
        {
            if (_mode != ReplicatedDiskMode.Recording)
                return;
            _mode = ReplicatedDiskMode.Ordinary;
            _dirty!.Dispose();
            _frozen!.Dispose();
            _dirty = _frozen = null;
            _pressure = null;
            _isCongested = false;
            released = TakeReleased();
        }

        SubmitAll(released);
    }

    /// <summary>
    /// Gives the dirty set and goes on with <paramref name="empty"/>: for a pass while the guest runs. A sector that is written while it
    /// is read is dirty again.
    /// </summary>
    public SectorMap ExchangeDirty(SectorMap empty)
    {
        lock (_lock)
        {
            SectorMap dirty = _dirty!;
            _dirty = empty;
            _hasPressed = _isCongested = false;
            return dirty;
        }
    }

    /// <summary>The cut: nothing is in flight, and the dirty set becomes the epoch's. The one before has been read to its end.</summary>
    public void Freeze()
    {
        lock (_lock)
        {
            if (_frozen!.Count > 0)
                throw new InvalidOperationException($"disk {Name}: the last cut was not read to its end");
            (_frozen, _dirty) = (_dirty, _frozen);
            _hasPressed = _isCongested = false;
        }
    }

    /// <summary>The next run of frozen sectors, at most <paramref name="maxSectors"/> long; false when there is none.</summary>
    public bool TryNextFrozen(ulong maxSectors, out ulong first, out ulong count)
    {
        lock (_lock)
        {
            first = _frozen?.NextSet(0) ?? SectorCount;
            count = first < SectorCount ? Math.Min(_frozen!.NextClear(first) - first, maxSectors) : 0;
            return count > 0;
        }
    }

    /// <summary>The session has read these sectors: writes to them go on.</summary>
    public void Thaw(ulong first, ulong count)
    {
        BlockRequestQueue released;
        lock (_lock)
        {
            _frozen?.Remove(first, count);
            if (_held.Count == 0)
                return;
            released = TakeReleased();
        }

        SubmitAll(released);
    }

    private void SubmitRecorded(BlockRequest request, ulong first, ulong count)
    {
        if (request.Operation is BlockOperation.Read or BlockOperation.Flush)
        {
            _image.Submit(request);
            return;
        }

        lock (_lock)
        {
            if (_mode == ReplicatedDiskMode.Recording && _frozen!.Overlaps(first, count))
            {
                _held.Add(request);
                return;
            }

            _writingBytes += request.LengthBytes;
        }

        UpdatePressure();
        request.Intercept = _onImageWritten;
        _image.Submit(request);
    }

    // After the write, whatever became of it: a mark that is taken early can be harvested early, and a failure may have written a part.
    private void OnImageWritten(BlockRequest request)
    {
        lock (_lock)
        {
            _writingBytes -= request.LengthBytes;
            if (_mode == ReplicatedDiskMode.Recording && TryRange(request, out ulong first, out ulong count))
                _dirty!.Add(first, count);
        }
    }

    private void UpdatePressure()
    {
        Action? pressure = null;
        lock (_lock)
        {
            if (_mode != ReplicatedDiskMode.Recording || !_isLimited)
                return;
            ulong bytes = (_dirty!.Count * SectorBytes) + _writingBytes;
            _isCongested = bytes >= CongestionBytes;
            if (bytes >= PressureBytes && !_hasPressed)
            {
                _hasPressed = true;
                pressure = _pressure;
            }
        }

        pressure?.Invoke();
    }
}
