namespace Kvm.Colo.Stream;

/// <summary>Body of the last SECTION_FULL of a device blob, <c>colo-vm/epoch</c>: which epoch this is and how to know that all of
/// it arrived.</summary>
/// <param name="Epoch">Number of the checkpoint in the session, from 1.</param>
/// <param name="PageCount">Zero, raw and delta page records in the epoch's RAM sections.</param>
/// <param name="RamBytes">Bytes of the epoch's RAM sections, heads, footers and pre-sent parts included.</param>
/// <param name="Digest">XXH3-128 of those bytes followed by the blob up to this section.</param>
internal readonly record struct EpochTrailer(ulong Epoch, ulong PageCount, ulong RamBytes, UInt128 Digest)
{
    public const string SectionName = "colo-vm/epoch";
    public const uint SectionVersion = 1;

    /// <summary>'co' prefix: never the id of a device section.</summary>
    public const uint SectionId = 0x636F_0000;

    /// <summary>Size of the whole section with head and footer.</summary>
    public const int SizeBytes = 1 + 4 + 1 + 13 + 4 + 4 + BodyBytes + ElementCodec.FooterBytes;

    private const int BodyBytes = 8 + 8 + 8 + 16;

    public void Write(ChannelBuffer buffer)
    {
        ElementCodec.WriteSection(buffer, ElementKind.SectionFull, SectionId, SectionName, 0, SectionVersion);
        buffer.WriteU64(Epoch);
        buffer.WriteU64(PageCount);
        buffer.WriteU64(RamBytes);
        buffer.WriteU128(Digest);
        ElementCodec.WriteFooter(buffer, SectionId);
    }

    /// <summary>Reads the body and footer that follow the section's head.</summary>
    public static FrameStatus TryReadBody(ReadOnlySpan<byte> source, uint sectionId, out EpochTrailer trailer, out int consumed)
    {
        trailer = default;
        consumed = 0;
        var cursor = new StreamCursor(source);
        var read = new EpochTrailer(cursor.ReadU64(), cursor.ReadU64(), cursor.ReadU64(), cursor.ReadU128());
        cursor.Require(cursor.ReadU8() == (byte)ElementKind.Footer);
        cursor.Require(cursor.ReadU32() == sectionId);
        if (cursor.Failed)
            return cursor.Status;
        trailer = read;
        consumed = cursor.Position;
        return FrameStatus.Ok;
    }

    /// <summary>Null when the epoch that arrived is the one described, else what differs.</summary>
    public string? Verify(EpochTrailer arrived)
    {
        if (Epoch != arrived.Epoch)
            return $"epoch {Epoch} arrived, {arrived.Epoch} is due";
        if (PageCount != arrived.PageCount)
            return $"epoch {Epoch}: {arrived.PageCount} pages arrived, {PageCount} were sent";
        if (RamBytes != arrived.RamBytes)
            return $"epoch {Epoch}: {arrived.RamBytes} bytes of RAM sections arrived, {RamBytes} were sent";
        return Digest == arrived.Digest ? null : $"epoch {Epoch}: digest mismatch";
    }
}
