using Kvm.Colo.Block;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration.Outgoing;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Disks;

/// <summary>
/// The primary's disks in a COLO session: made equal on the other side while the guest runs, by hashes first and then by what the guest
/// wrote meanwhile; from the first cut on, what each epoch wrote travels with it. Migration thread, but for <see cref="Freeze"/>.
/// </summary>
internal sealed class DiskSender : IDisposable
{
    // A cut may leave this much to send after it; a guest that writes faster than the link is slowed down from the second pass on.
    private const ulong CutBytes = 4ul << 20;
    private const int MaxPasses = 30;
    private const ulong MaxRunSectors = DiskRun.MaxDataBytes / ReplicatedDisk.SectorBytes;

    private static readonly TimeSpan s_mergeStep = TimeSpan.FromMilliseconds(200);

    private readonly VirtualMachine _machine;
    private readonly DiskTable _table;
    private readonly RamSender _sender;
    private readonly MigrationSettings _settings;
    private readonly MigrationControl _control;
    private readonly DiskStaging _staging;
    private readonly SectorMap?[] _spare;
    private readonly byte[] _buffer = new byte[DiskRun.MaxDataBytes];
    private readonly byte[] _question = new byte[DiskHashQuery.MaxBytes];
    private readonly byte[] _verdicts = new byte[DiskHashQuery.MaxCount / 8];

    public DiskSender(VirtualMachine machine, RamSender sender, MigrationSettings settings, MigrationControl control)
    {
        _machine = machine;
        _table = new DiskTable(machine);
        _sender = sender;
        _settings = settings;
        _control = control;
        _staging = new DiskStaging(_table.ScratchFolder);
        _spare = new SectorMap?[_table.Nodes.Count];
        foreach (DiskDescriptor disk in _table.Descriptors)
            TotalBytes += disk.SizeBytes;
        RemainingBytes = TotalBytes;
    }

    public bool HasWritable => _table.HasWritable;

    public ulong TotalBytes { get; }

    /// <summary>What the first pass has still to compare.</summary>
    public ulong RemainingBytes { get; private set; }

    /// <summary>Bytes of disk that the last epoch changed.</summary>
    public ulong StagedBytes => _staging.CoveredBytes;

    /// <summary>Tells the peer which disks there are, and begins to record what the guest writes.</summary>
    /// <exception cref="MigrationException">It was cancelled while a former takeover still reached the images.</exception>
    public void Begin()
    {
        for (int i = 0; i < _spare.Length; i++)
        {
            if (_table[i].IsReadOnly)
                continue;
            while (!_table[i].WaitUntilMerged(s_mergeStep))
                ThrowIfCancelled();
            _spare[i] = new SectorMap(_table[i].SectorCount);
            _table[i].BeginRecording(_control.RequestDiskCheckpoint);
        }

        using ChannelBuffer list = new();
        DiskList.Write(list, _table.Descriptors);
        _sender.Append(list.WrittenSpan);
        _sender.Flush();
        _control.OnColoSent(ColoMessage.DiskList);
    }

    /// <summary>The first pass: compares everything by hashes and sends what differs.</summary>
    /// <param name="hashSeed">The session's.</param>
    /// <param name="inbox">Where the answers come.</param>
    /// <param name="awaitVerdicts">Waits for one.</param>
    /// <param name="onBatch">Called now and then, for progress.</param>
    /// <exception cref="MigrationException">Cancelled, an image here cannot be read, or a read-only disk differs.</exception>
    public void Synchronise(long hashSeed, ReturnInbox inbox, Action awaitVerdicts, Action onBatch)
    {
        for (int disk = 0; disk < _spare.Length; disk++)
        {
            ulong chunks = DiskHashQuery.ChunksOf(_table[disk].CapacityBytes);
            for (ulong chunk = 0; chunk < chunks;)
            {
                DiskHashQuery query = new(disk, chunk, (int)Math.Min(DiskHashQuery.MaxCount, chunks - chunk));
                Ask(query, hashSeed, inbox);
                awaitVerdicts();
                inbox.Verdicts.CopyTo(_verdicts);
                SendDiffering(query);
                chunk += (ulong)query.Count;
                onBatch();
            }
        }

        _sender.Flush();
    }

    /// <summary>Further passes: sends what the guest wrote meanwhile until little is left.</summary>
    public void CatchUp()
    {
        for (int pass = 0; pass < MaxPasses && DirtyBytes() > CutBytes; pass++)
        {
            for (int disk = 0; disk < _spare.Length; disk++)
            {
                if (_spare[disk] is { } empty)
                    _spare[disk] = SendSet(disk, _table[disk].ExchangeDirty(empty));
            }

            LimitEpochs();
            _machine.Io.ContinueDisks();
        }

        LimitEpochs();
    }

    /// <summary>The cut: what was written up to here belongs to the epoch. The devices stand still.</summary>
    public void Freeze()
    {
        for (int disk = 0; disk < _spare.Length; disk++)
        {
            if (_spare[disk] is not null)
                _table[disk].Freeze();
        }
    }

    /// <summary>Hashes the images inside the pause.</summary>
    public UInt128 Hash(Action? proving) => _table.Hash(_buffer, proving);

    /// <summary>After the cut, while the guest runs: reads what it froze.</summary>
    /// <exception cref="MigrationException">An image here cannot be read, or there is no room for its data.</exception>
    public void Stage()
    {
        _staging.Reset();
        try
        {
            for (int disk = 0; disk < _spare.Length; disk++)
                StageDisk(disk);
        }
        catch (IOException e)
        {
            throw new MigrationException($"no room for the epoch's disk data: {e.Message}");
        }
    }

    /// <summary>Sends what was staged; with <paramref name="digest"/> as a part of the epoch.</summary>
    public void Send(StreamDigest? digest)
    {
        for (int i = 0; i < _staging.Count; i++)
        {
            DiskRun run = _staging[i];
            Span<byte> data = _buffer.AsSpan(0, run.DataBytes);
            _staging.Read(i, data);
            Append(run, data, digest);
        }

        if (_staging.Count > 0)
            _control.OnColoSent(ColoMessage.DiskData);
    }

    /// <summary>The session is over: the disks are ordinary ones again, and nothing waits any more.</summary>
    public void End()
    {
        foreach (ReplicatedDisk disk in _table.Nodes)
            disk.EndRecording();
        _machine.Io.ContinueDisks();
    }

    public void Dispose()
    {
        End();
        foreach (SectorMap? map in _spare)
            map?.Dispose();
        _staging.Dispose();
    }

    private void Ask(DiskHashQuery query, long hashSeed, ReturnInbox inbox)
    {
        ThrowIfCancelled();
        query.WriteHead(_question);
        for (int i = 0; i < query.Count; i++)
        {
            Span<byte> chunk = ReadChunk(query.Disk, query.FirstChunk + (ulong)i);
            DiskHashQuery.WriteHash(_question, i, PageHash.Compute(chunk, hashSeed));
            RemainingBytes -= (ulong)chunk.Length;
        }

        inbox.ExpectVerdicts(query.Count);
        _sender.Append(_question.AsSpan(0, query.SizeBytes));
        _sender.Flush();
        _control.OnColoSent(ColoMessage.DiskHashes);
    }

    private void SendDiffering(DiskHashQuery query)
    {
        for (int i = 0; i < query.Count; i++)
        {
            if (!PageHashAnswer.Differs(_verdicts, i))
                continue;
            if (_table[query.Disk].IsReadOnly)
                throw new MigrationException($"disk '{_table[query.Disk].Name}' is read-only and its content is another one on the other side");
            ulong chunk = query.FirstChunk + (ulong)i;
            AppendLive(query.Disk, chunk * DiskHashQuery.ChunkBytes, ReadChunk(query.Disk, chunk));
        }
    }

    private Span<byte> ReadChunk(int disk, ulong chunk)
    {
        ulong offset = chunk * DiskHashQuery.ChunkBytes;
        Span<byte> content = _buffer.AsSpan(0, (int)Math.Min(DiskHashQuery.ChunkBytes, _table[disk].CapacityBytes - offset));
        _table.Check(disk, "read", _table[disk].Image.Read(offset, content));
        return content;
    }

    private SectorMap SendSet(int disk, SectorMap dirty)
    {
        for (ulong first = dirty.NextSet(0); first < dirty.SectorCount; first = dirty.NextSet(first))
        {
            ThrowIfCancelled();
            ulong count = Math.Min(dirty.NextClear(first) - first, MaxRunSectors);
            AppendLive(disk, first * ReplicatedDisk.SectorBytes, ReadRun(disk, first, count));
            first += count;
        }

        _sender.Flush();
        dirty.Clear();
        return dirty;
    }

    private void StageDisk(int disk)
    {
        if (_spare[disk] is null)
            return;
        while (_table[disk].TryNextFrozen(MaxRunSectors, out ulong first, out ulong count))
        {
            Span<byte> data = ReadRun(disk, first, count);
            bool isZero = PageHash.IsZero(data);
            if (!_staging.TryAdd(new DiskRun(disk, first * ReplicatedDisk.SectorBytes, (uint)data.Length, isZero)))
                throw new MigrationException($"disk '{_table[disk].Name}' was written in too many places");
            if (!isZero)
                _staging.Append(data);
            _table[disk].Thaw(first, count);
        }
    }

    private Span<byte> ReadRun(int disk, ulong first, ulong count)
    {
        Span<byte> data = _buffer.AsSpan(0, (int)count * ReplicatedDisk.SectorBytes);
        _table.Check(disk, "read", _table[disk].Image.Read(first * ReplicatedDisk.SectorBytes, data));
        return data;
    }

    private void AppendLive(int disk, ulong offset, ReadOnlySpan<byte> content)
    {
        bool isZero = PageHash.IsZero(content);
        Append(new DiskRun(disk, offset, (uint)content.Length, isZero), isZero ? [] : content, null);
        if (!_sender.Throttle(_settings.MaxBandwidth, _control.Cancelled))
            ThrowIfCancelled();
    }

    private void Append(DiskRun run, ReadOnlySpan<byte> data, StreamDigest? digest)
    {
        Span<byte> head = stackalloc byte[DiskRun.HeadBytes];
        run.Write(head);
        _sender.Append(head);
        _sender.Append(data);
        digest?.Append(head);
        digest?.Append(data);
    }

    private ulong DirtyBytes()
    {
        ulong bytes = 0;
        foreach (ReplicatedDisk disk in _table.Nodes)
            bytes += disk.DirtyBytes;
        return bytes;
    }

    private void LimitEpochs()
    {
        for (int disk = 0; disk < _spare.Length; disk++)
        {
            if (_spare[disk] is not null)
                _table[disk].LimitEpochs();
        }
    }

    private void ThrowIfCancelled()
    {
        if (_control.Cancelled.WaitOne(0))
            throw new MigrationException("cancelled");
    }
}
