using Kvm.Colo.Block;
using Kvm.Colo.Memory;
using Kvm.Colo.Stream;
using Microsoft.Win32.SafeHandles;

namespace Kvm.Colo.Migration.Disks;

/// <summary>
/// An epoch's disk data, between the guest and the link on either side: runs in ascending order, so an epoch holds each sector at most
/// once. Bytes are kept in memory up to <see cref="MemoryBytes"/>, the rest in a file without a name. Both are kept for the next epoch.
/// Migration thread, inside a pause the control loop.
/// </summary>
internal sealed class DiskStaging(string scratchFolder) : IDisposable
{
    public const int MemoryBytes = 16 << 20;
    public const int MaxRuns = 1 << 20;

    private const int ChunkBytes = 1 << 20;

    private readonly List<Entry> _runs = [];
    private readonly List<NativeMapping> _chunks = [];
    private SafeFileHandle? _spill;
    private long _length;

    public int Count => _runs.Count;

    /// <summary>Bytes of disk that the runs cover.</summary>
    public ulong CoveredBytes { get; private set; }

    public DiskRun this[int index] => _runs[index].Run;

    public void Reset()
    {
        _runs.Clear();
        CoveredBytes = 0;
        if (_length > MemoryBytes)
            RandomAccess.SetLength(_spill!, 0);
        _length = 0;
    }

    /// <summary>Adds a run; its bytes follow by <see cref="Append"/>. False when it is not behind the last one, or there are too many.</summary>
    public bool TryAdd(DiskRun run)
    {
        if (_runs.Count >= MaxRuns)
            return false;
        if (_runs.Count > 0 && _runs[^1].Run is var last && (run.Disk < last.Disk || (run.Disk == last.Disk && run.Offset < last.End)))
            return false;
        _runs.Add(new Entry(run, _length));
        CoveredBytes += run.Length;
        return true;
    }

    /// <summary>Adds bytes of the run added last.</summary>
    /// <exception cref="IOException">There is no room for what does not fit into memory.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_length >= MemoryBytes)
            {
                _spill ??= ScratchFile.Create(scratchFolder);
                RandomAccess.Write(_spill, bytes, _length - MemoryBytes);
                _length += bytes.Length;
                return;
            }

            int part = Math.Min(bytes.Length, ChunkBytes - (int)(_length % ChunkBytes));
            bytes[..part].CopyTo(Chunk(_length, part));
            _length += part;
            bytes = bytes[part..];
        }
    }

    /// <summary>Copies a run's bytes, all of them, to the start of <paramref name="destination"/>.</summary>
    public void Read(int index, Span<byte> destination)
    {
        long at = _runs[index].Position;
        destination = destination[.._runs[index].Run.DataBytes];
        while (!destination.IsEmpty)
        {
            int part;
            if (at >= MemoryBytes)
            {
                part = RandomAccess.Read(_spill!, destination, at - MemoryBytes);
                if (part == 0)
                    throw new IOException("a scratch file ends early");
            }
            else
            {
                part = Math.Min(destination.Length, ChunkBytes - (int)(at % ChunkBytes));
                Chunk(at, part).CopyTo(destination);
            }

            at += part;
            destination = destination[part..];
        }
    }

    public void Dispose()
    {
        foreach (NativeMapping chunk in _chunks)
            chunk.Dispose();
        _chunks.Clear();
        _spill?.Dispose();
    }

    private Span<byte> Chunk(long position, int length)
    {
        int index = (int)(position / ChunkBytes);
        if (index == _chunks.Count)
            _chunks.Add(NativeMapping.Anonymous(ChunkBytes));
        return _chunks[index].Slice((ulong)(position % ChunkBytes), length);
    }

    private readonly record struct Entry(DiskRun Run, long Position);
}
