using Kvm.Colo.Migration.Links;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Incoming;

/// <summary>Reads RAM records off a link; the payload of a record is left to the caller.</summary>
internal static class RamRecords
{
    /// <summary>Reads the head of the next record.</summary>
    /// <exception cref="MigrationException">The peer's bytes are no RAM record.</exception>
    public static RamRecord Next(LinkReader reader, RamSectionDecoder decoder)
    {
        while (true)
        {
            FrameStatus status = decoder.TryRead(reader.Available, out RamRecord record, out int consumed);
            if (status == FrameStatus.Ok)
            {
                reader.Consume(consumed);
                return record;
            }

            if (status == FrameStatus.Malformed)
                throw new MigrationException($"{reader.Link.Description}: RAM section: {decoder.Reason ?? "malformed"}");
            reader.Fill();
        }
    }

    /// <summary>Reads the footer of a RAM section.</summary>
    /// <exception cref="MigrationException">The section does not end as it began.</exception>
    public static void Footer(LinkReader reader)
    {
        reader.Require(ElementCodec.FooterBytes);
        if (ElementCodec.TryReadFooter(reader.Available, RamSectionEncoder.SectionId) != FrameStatus.Ok)
            throw new MigrationException($"{reader.Link.Description}: RAM section without its footer");
        reader.Consume(ElementCodec.FooterBytes);
    }
}
