using System.Buffers.Binary;

namespace Kvm.Colo.Stream;

/// <summary>Writes the records of RAM section bodies, version 4, into the caller's span. Like the receiver it remembers the last
/// block across sections: one encoder serves a session, and all it wrote must be sent, in order. Migration thread.</summary>
internal sealed class RamSectionEncoder(RamBlockTable blocks)
{
    public const string SectionName = "ram";
    public const uint SectionVersion = 4;

    /// <summary>The id QEMU's RAM section has; device sections take the ids after it.</summary>
    public const uint SectionId = 2;

    /// <summary>No record head is longer: word, name, zero byte or delta head.</summary>
    public const int MaxHeadBytes = RamPageWord.SizeBytes + 1 + WireName.MaxBytes + DeltaHeadBytes;

    /// <summary>Most page records that may come before the cut of their epoch.</summary>
    public const int MaxAheadRecords = 64 * 1024;

    internal const int DeltaHeadBytes = 3;
    internal const byte DeltaMarker = 0x01;

    private int _lastBlock = -1;

    /// <summary>Size of the block list record.</summary>
    public int BlockListBytes
    {
        get
        {
            int bytes = RamPageWord.SizeBytes;
            for (int index = 0; index < blocks.Count; index++)
                bytes += blocks[index].WireForm.Length + sizeof(ulong);
            return bytes;
        }
    }

    /// <summary>The block list of a SECTION_START: total bytes, then each name and be64 size.</summary>
    public int WriteBlockList(Span<byte> destination)
    {
        int length = WriteWord(destination, new RamPageWord(blocks.TotalBytes, RamPageFlags.BlockList));
        for (int index = 0; index < blocks.Count; index++)
        {
            ReadOnlySpan<byte> name = blocks[index].WireForm;
            name.CopyTo(destination[length..]);
            length += name.Length;
            BinaryPrimitives.WriteUInt64BigEndian(destination[length..], blocks[index].SizeBytes);
            length += sizeof(ulong);
        }

        return length;
    }

    /// <summary>A page of zeros; complete.</summary>
    public int WriteZeroPage(Span<byte> destination, int block, ulong pageOffset)
    {
        int length = WritePageHead(destination, block, pageOffset, RamPageFlags.Zero);
        destination[length] = 0;
        return length + 1;
    }

    /// <summary>Head of a raw page; the caller sends the page's 4096 bytes next.</summary>
    public int WritePage(Span<byte> destination, int block, ulong pageOffset) =>
        WritePageHead(destination, block, pageOffset, RamPageFlags.Page);

    /// <summary>Head of a delta page; the caller sends <paramref name="deltaBytes"/> (1 to 4096) bytes next.</summary>
    public int WriteDelta(Span<byte> destination, int block, ulong pageOffset, int deltaBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(deltaBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(deltaBytes, RamPageWord.PageSizeBytes);
        int length = WritePageHead(destination, block, pageOffset, RamPageFlags.Delta);
        destination[length] = DeltaMarker;
        BinaryPrimitives.WriteUInt16BigEndian(destination[(length + 1)..], (ushort)deltaBytes);
        return length + DeltaHeadBytes;
    }

    /// <summary>Ends a section body; the section footer comes next.</summary>
    public static int WriteEndOfSection(Span<byte> destination) =>
        WriteWord(destination, new RamPageWord(0, RamPageFlags.EndOfSection));

    private int WritePageHead(Span<byte> destination, int block, ulong pageOffset, RamPageFlags kind)
    {
        RamBlock named = blocks[block];
        if (pageOffset % RamPageWord.PageSizeBytes != 0 || pageOffset >= named.SizeBytes)
            throw new ArgumentOutOfRangeException(nameof(pageOffset), pageOffset, "not a page of the block");
        if (block == _lastBlock)
            return WriteWord(destination, new RamPageWord(pageOffset, kind | RamPageFlags.Continue));
        int length = WriteWord(destination, new RamPageWord(pageOffset, kind));
        named.WireForm.CopyTo(destination[length..]);
        _lastBlock = block;
        return length + named.WireForm.Length;
    }

    private static int WriteWord(Span<byte> destination, RamPageWord word)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, word.Value);
        return RamPageWord.SizeBytes;
    }
}
