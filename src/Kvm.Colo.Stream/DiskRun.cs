using System.Buffers.Binary;

namespace Kvm.Colo.Stream;

/// <summary>Head of <see cref="ColoMessage.DiskData"/> and <see cref="ColoMessage.DiskZeroes"/>: message word, u8 disk, be64 offset,
/// be32 length; behind a data head that many bytes.</summary>
/// <param name="Disk">Place in the list of disks.</param>
/// <param name="Offset">First byte on the disk, a multiple of 512.</param>
/// <param name="Length">Bytes, a multiple of 512, at most <see cref="MaxDataBytes"/> or <see cref="MaxZeroBytes"/>.</param>
/// <param name="IsZero">Whether the range is zeros and no bytes follow.</param>
internal readonly record struct DiskRun(int Disk, ulong Offset, uint Length, bool IsZero)
{
    public const int HeadBytes = ColoMessageCodec.SizeBytes + 1 + sizeof(ulong) + sizeof(uint);
    public const uint MaxDataBytes = DiskHashQuery.ChunkBytes;
    public const uint MaxZeroBytes = 1u << 30;

    public ulong End => Offset + Length;

    /// <summary>Bytes that follow the head.</summary>
    public int DataBytes => IsZero ? 0 : (int)Length;

    public void Write(Span<byte> destination)
    {
        ColoMessageCodec.Write(destination, IsZero ? ColoMessage.DiskZeroes : ColoMessage.DiskData);
        destination[4] = checked((byte)Disk);
        BinaryPrimitives.WriteUInt64BigEndian(destination[5..], Offset);
        BinaryPrimitives.WriteUInt32BigEndian(destination[13..], Length);
    }

    /// <summary>Reads the head; the range lies on a disk that may be written.</summary>
    public static FrameStatus TryRead(ReadOnlySpan<byte> source, IReadOnlyList<DiskDescriptor> disks, out DiskRun run)
    {
        run = default;
        var cursor = new StreamCursor(source);
        var word = (ColoMessage)cursor.ReadU32();
        cursor.Require(word is ColoMessage.DiskData or ColoMessage.DiskZeroes);
        int disk = cursor.ReadU8();
        ulong offset = cursor.ReadU64();
        uint length = cursor.ReadU32();
        if (cursor.Failed)
            return cursor.Status;
        bool isZero = word == ColoMessage.DiskZeroes;
        bool isLegal = disk < disks.Count
            && !disks[disk].IsReadOnly
            && length > 0
            && length <= (isZero ? MaxZeroBytes : MaxDataBytes)
            && (offset | length) % DiskList.SectorBytes == 0
            && offset < disks[disk].SizeBytes
            && length <= disks[disk].SizeBytes - offset;
        if (!isLegal)
            return FrameStatus.Malformed;
        run = new DiskRun(disk, offset, length, isZero);
        return FrameStatus.Ok;
    }
}
