using Kvm.Colo.Block;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Native;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Disks;

/// <summary>
/// The secondary's disks in a COLO session: compared with the primary's list, made equal before the guest runs here, then changed by each
/// epoch as it goes live. Nothing the peer sends is trusted. Migration thread, but for <see cref="Commit"/>.
/// </summary>
internal sealed class DiskReceiver : IDisposable
{
    private readonly DiskTable _table;
    private readonly LinkReader _reader;
    private readonly DiskStaging _staging;
    private readonly byte[] _buffer = new byte[DiskRun.MaxDataBytes];
    private readonly byte[] _answer = new byte[PageHashAnswer.FrameBytes(DiskHashQuery.MaxCount)];

    public DiskReceiver(VirtualMachine machine, LinkReader reader)
    {
        _table = new DiskTable(machine);
        _reader = reader;
        _staging = new DiskStaging(_table.ScratchFolder);
    }

    public bool HasWritable => _table.HasWritable;

    /// <summary>Whether the primary's disks are known to be this side's.</summary>
    public bool IsCompared { get; private set; }

    /// <summary>Reads the primary's list.</summary>
    /// <returns>Null, or why the two sides do not fit.</returns>
    public string? ReceiveList()
    {
        IReadOnlyList<DiskDescriptor> disks;
        int consumed;
        while (Parse(DiskList.TryRead(_reader.Available, out disks, out consumed), "a malformed list of disks"))
            _reader.Fill();
        _reader.Consume(consumed);
        IsCompared = true;
        return DiskList.Compare(disks, _table.Descriptors);
    }

    /// <summary>Answers which chunks of a disk differ.</summary>
    public void AnswerHashes(long hashSeed)
    {
        DiskHashQuery query;
        while (Parse(DiskHashQuery.TryRead(_reader.Available, _table.Descriptors, out query), "a malformed question about a disk"))
            _reader.Fill();
        PageHashAnswer.Write(_answer, query.Count);
        for (int i = 0; i < query.Count; i++)
        {
            ulong offset = (query.FirstChunk + (ulong)i) * DiskHashQuery.ChunkBytes;
            ReplicatedDisk disk = _table[query.Disk];
            Span<byte> content = _buffer.AsSpan(0, (int)Math.Min(DiskHashQuery.ChunkBytes, disk.CapacityBytes - offset));
            _table.Check(query.Disk, "read", disk.Image.Read(offset, content));
            if (PageHash.Compute(content, hashSeed) != DiskHashQuery.ReadHash(_reader.Available, i))
                PageHashAnswer.MarkDiffers(_answer, i);
        }

        _reader.Consume(query.SizeBytes);
        _reader.Link.Send(_answer.AsSpan(0, PageHashAnswer.FrameBytes(query.Count)));
    }

    /// <summary>Before the guest runs here: takes bytes straight into the image.</summary>
    public void Receive()
    {
        DiskRun run = ReadRun();
        Span<byte> data = _buffer.AsSpan(0, run.DataBytes);
        _reader.ReadExactly(data);
        Write(run, data);
    }

    /// <summary>Begins an epoch.</summary>
    public void Reset() => _staging.Reset();

    /// <summary>Keeps bytes of an epoch beside the running guest.</summary>
    public void Stage()
    {
        DiskRun run = ReadRun();
        if (!_staging.TryAdd(run))
            throw new MigrationException($"{_reader.Link.Description}: an epoch's disk data is out of order, or there is too much of it");
        Span<byte> data = _buffer.AsSpan(0, run.DataBytes);
        _reader.ReadExactly(data);
        try
        {
            _staging.Append(data);
        }
        catch (IOException e)
        {
            throw new MigrationException($"no room for the epoch's disk data: {e.Message}");
        }
    }

    /// <summary>Finds out, while there is a way back, whether the images have room for the epoch.</summary>
    public void Reserve()
    {
        for (int i = 0; i < _staging.Count; i++)
        {
            DiskRun run = _staging[i];
            if (!run.IsZero)
                _table.Check(run.Disk, "written", _table[run.Disk].Image.Reserve(run.Offset, run.Length));
        }
    }

    /// <summary>Inside the pause, with the devices at rest and the guest's own writes dropped: the epoch's data goes into the images.</summary>
    /// <exception cref="MigrationException">An image of this side failed; it may hold a mix.</exception>
    public void Commit()
    {
        for (int i = 0; i < _staging.Count; i++)
        {
            Span<byte> data = _buffer.AsSpan(0, _staging[i].DataBytes);
            Read(i, data);
            Write(_staging[i], data);
        }
    }

    /// <summary>Hashes the images inside the pause.</summary>
    public UInt128 Hash(Action? proving) => _table.Hash(_buffer, proving);

    public void Dispose() => _staging.Dispose();

    private DiskRun ReadRun()
    {
        DiskRun run;
        while (Parse(DiskRun.TryRead(_reader.Available, _table.Descriptors, out run), "disk data that fits no disk of this side"))
            _reader.Fill();
        _reader.Consume(DiskRun.HeadBytes);
        return run;
    }

    private void Read(int index, Span<byte> data)
    {
        try
        {
            _staging.Read(index, data);
        }
        catch (IOException e)
        {
            throw new MigrationException($"the epoch's disk data cannot be read back: {e.Message}");
        }
    }

    private void Write(DiskRun run, ReadOnlySpan<byte> data)
    {
        RawDisk image = _table[run.Disk].Image;
        Errno result = run.IsZero ? image.Zero(run.Offset, run.Length) : image.Write(run.Offset, data);
        _table.Check(run.Disk, "written", result);
    }

    private bool Parse(FrameStatus status, string problem) => status != FrameStatus.Malformed
        ? status == FrameStatus.NeedMoreData
        : throw new MigrationException($"{_reader.Link.Description}: {problem}");
}
