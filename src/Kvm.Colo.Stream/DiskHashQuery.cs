using System.Buffers.Binary;

namespace Kvm.Colo.Stream;

/// <summary>Frame of <see cref="ColoMessage.DiskHashes"/>: message word, u8 disk, be64 first chunk, be32 count, then the
/// <see cref="PageHash"/> of each chunk. Answered as a page query is, see <see cref="PageHashAnswer"/>.</summary>
/// <param name="Disk">Place in the list of disks.</param>
/// <param name="FirstChunk">In units of <see cref="ChunkBytes"/>.</param>
/// <param name="Count">Chunks asked about, 1 to <see cref="MaxCount"/>.</param>
internal readonly record struct DiskHashQuery(int Disk, ulong FirstChunk, int Count)
{
    /// <summary>The last chunk of a disk may be shorter.</summary>
    public const int ChunkBytes = 256 * 1024;

    public const int MaxCount = 128;
    public const int HeadBytes = ColoMessageCodec.SizeBytes + 1 + sizeof(ulong) + sizeof(uint);
    public const int MaxBytes = HeadBytes + (MaxCount * PageHash.SizeBytes);

    /// <summary>Size of the whole frame.</summary>
    public int SizeBytes => HeadBytes + (Count * PageHash.SizeBytes);

    public void WriteHead(Span<byte> destination)
    {
        ColoMessageCodec.Write(destination, ColoMessage.DiskHashes);
        destination[4] = checked((byte)Disk);
        BinaryPrimitives.WriteUInt64BigEndian(destination[5..], FirstChunk);
        BinaryPrimitives.WriteUInt32BigEndian(destination[13..], (uint)Count);
    }

    public static void WriteHash(Span<byte> frame, int index, UInt128 hash) =>
        BinaryPrimitives.WriteUInt128BigEndian(frame[(HeadBytes + (index * PageHash.SizeBytes))..], hash);

    public static UInt128 ReadHash(ReadOnlySpan<byte> frame, int index) =>
        BinaryPrimitives.ReadUInt128BigEndian(frame[(HeadBytes + (index * PageHash.SizeBytes))..]);

    /// <summary>Reads the whole frame; every chunk lies on its disk.</summary>
    public static FrameStatus TryRead(ReadOnlySpan<byte> source, IReadOnlyList<DiskDescriptor> disks, out DiskHashQuery query)
    {
        query = default;
        var cursor = new StreamCursor(source);
        cursor.Require(cursor.ReadU32() == (uint)ColoMessage.DiskHashes);
        int disk = cursor.ReadU8();
        ulong first = cursor.ReadU64();
        uint count = cursor.ReadU32();
        cursor.Require(disk < disks.Count && count is > 0 and <= MaxCount);
        if (cursor.Failed)
            return cursor.Status;
        ulong chunks = ChunksOf(disks[disk].SizeBytes);
        cursor.Require(first < chunks && count <= chunks - first);
        cursor.ReadBytes((int)count * PageHash.SizeBytes);
        if (!cursor.Failed)
            query = new DiskHashQuery(disk, first, (int)count);
        return cursor.Status;
    }

    /// <summary>How many chunks a disk has.</summary>
    public static ulong ChunksOf(ulong diskBytes) => (diskBytes / ChunkBytes) + (diskBytes % ChunkBytes == 0 ? 0ul : 1);
}
