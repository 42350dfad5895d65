namespace Kvm.Colo.Stream;

/// <summary>Data of <see cref="StreamCommand.PostcopyRamDiscard"/>: u8 version 0, block name, u8 0, then up to
/// <see cref="MaxRanges"/> pairs of be64 start and be64 length, byte offsets in the block.</summary>
/// <param name="Block">Index in the <see cref="RamBlockTable"/>.</param>
/// <param name="Count">Ranges in the command, at least one.</param>
internal readonly record struct RamDiscard(int Block, int Count)
{
    /// <summary>What QEMU puts into one command.</summary>
    public const int MaxRanges = 12;

    public const int RangeBytes = 2 * sizeof(ulong);

    /// <summary>Writes the whole command.</summary>
    public static void Write(
        ChannelBuffer buffer, RamBlockTable blocks, int block, ReadOnlySpan<(ulong Start, ulong Bytes)> ranges)
    {
        ArgumentOutOfRangeException.ThrowIfZero(ranges.Length, nameof(ranges));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ranges.Length, MaxRanges, nameof(ranges));
        ReadOnlySpan<byte> name = blocks[block].WireForm;
        buffer.WriteU8((byte)ElementKind.Command);
        buffer.WriteU16((ushort)StreamCommand.PostcopyRamDiscard);
        buffer.WriteU16((ushort)(1 + name.Length + 1 + (ranges.Length * RangeBytes)));
        buffer.WriteU8(0);
        buffer.WriteBytes(name);
        buffer.WriteU8(0);
        foreach ((ulong start, ulong bytes) in ranges)
        {
            buffer.WriteU64(start);
            buffer.WriteU64(bytes);
        }
    }

    /// <summary>Reads a command's data, which is complete: anything missing or left over is illegal. Every range is whole pages
    /// inside the block.</summary>
    /// <param name="data">See <see cref="StreamElement.CommandData"/>.</param>
    /// <param name="blocks">This machine's blocks.</param>
    /// <param name="discard">Valid when true; its ranges are read by <see cref="RangeAt"/>.</param>
    public static bool TryRead(ReadOnlySpan<byte> data, RamBlockTable blocks, out RamDiscard discard)
    {
        discard = default;
        var cursor = new StreamCursor(data);
        cursor.Require(cursor.ReadU8() == 0);
        ReadOnlySpan<byte> name = cursor.ReadName();
        int block = cursor.Failed ? -1 : blocks.IndexOf(name);
        cursor.Require(block >= 0);
        cursor.Require(cursor.ReadU8() == 0);
        cursor.Require(cursor.Remaining >= RangeBytes && cursor.Remaining % RangeBytes == 0);
        cursor.Require(cursor.Remaining / RangeBytes <= MaxRanges);
        if (cursor.Failed)
            return false;
        var read = new RamDiscard(block, cursor.Remaining / RangeBytes);
        for (int index = 0; index < read.Count; index++)
            cursor.Require(IsInside(cursor.ReadU64(), cursor.ReadU64(), blocks[block].SizeBytes));
        if (cursor.Failed)
            return false;
        discard = read;
        return true;
    }

    /// <summary>Range <paramref name="index"/> of data that <see cref="TryRead"/> accepted.</summary>
    public (ulong Start, ulong Bytes) RangeAt(ReadOnlySpan<byte> data, int index)
    {
        var cursor = new StreamCursor(data[^(RangeBytes * (Count - index))..]);
        return (cursor.ReadU64(), cursor.ReadU64());
    }

    private static bool IsInside(ulong start, ulong bytes, ulong sizeBytes) =>
        start % RamPageWord.PageSizeBytes == 0
        && bytes % RamPageWord.PageSizeBytes == 0
        && bytes > 0
        && start < sizeBytes
        && bytes <= sizeBytes - start;
}
