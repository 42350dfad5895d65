using System.Text;

namespace Kvm.Colo.Stream;

/// <summary>Frame of <see cref="ColoMessage.DiskList"/>: message word, u8 count, then for each disk its name, be64 bytes, u8 flags
/// (1: read-only). The primary's disks in the guest's order.</summary>
internal static class DiskList
{
    public const int MaxDisks = 64;
    public const int SectorBytes = 512;

    private const byte ReadOnlyFlag = 1;

    public static void Write(ChannelBuffer buffer, IReadOnlyList<DiskDescriptor> disks)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(disks.Count, MaxDisks);
        buffer.WriteU32((uint)ColoMessage.DiskList);
        buffer.WriteU8((byte)disks.Count);
        foreach (DiskDescriptor disk in disks)
        {
            buffer.WriteName(disk.Name);
            buffer.WriteU64(disk.SizeBytes);
            buffer.WriteU8(disk.IsReadOnly ? ReadOnlyFlag : (byte)0);
        }
    }

    /// <summary>Reads the list with its message word.</summary>
    public static FrameStatus TryRead(ReadOnlySpan<byte> source, out IReadOnlyList<DiskDescriptor> disks, out int consumed)
    {
        disks = [];
        consumed = 0;
        var cursor = new StreamCursor(source);
        cursor.Require(cursor.ReadU32() == (uint)ColoMessage.DiskList);
        int count = cursor.ReadU8();
        cursor.Require(count <= MaxDisks);
        List<DiskDescriptor> read = [];
        for (int i = 0; i < count && !cursor.Failed; i++)
        {
            ReadOnlySpan<byte> name = cursor.ReadName();
            ulong bytes = cursor.ReadU64();
            byte flags = cursor.ReadU8();
            cursor.Require(bytes > 0 && bytes % SectorBytes == 0 && bytes <= long.MaxValue && (flags & ~ReadOnlyFlag) == 0);
            if (!cursor.Failed)
                read.Add(new DiskDescriptor(Encoding.ASCII.GetString(name), bytes, flags == ReadOnlyFlag));
        }

        if (cursor.Failed)
            return cursor.Status;
        disks = read;
        consumed = cursor.Position;
        return FrameStatus.Ok;
    }

    /// <summary>Null when both sides have the same disks, else the first thing that differs, as the receiver of
    /// <paramref name="theirs"/> says it.</summary>
    public static string? Compare(IReadOnlyList<DiskDescriptor> theirs, IReadOnlyList<DiskDescriptor> ours)
    {
        if (theirs.Count != ours.Count)
            return $"its guest has {theirs.Count} disks, this one {ours.Count}";
        for (int i = 0; i < theirs.Count; i++)
        {
            (DiskDescriptor its, DiskDescriptor own) = (theirs[i], ours[i]);
            if (its.Name != own.Name)
                return $"its disk {i} is '{its.Name}', this side's '{own.Name}'";
            if (its.SizeBytes != own.SizeBytes)
                return $"its disk '{its.Name}' has {its.SizeBytes} bytes, this side's {own.SizeBytes}";
            if (its.IsReadOnly != own.IsReadOnly)
                return $"its disk '{its.Name}' is {(its.IsReadOnly ? "read-only" : "writable")}, this side's is not";
        }

        return null;
    }
}
