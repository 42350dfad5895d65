namespace Kvm.Colo.Stream;

/// <summary>Writes the device sections of one machine into a channel buffer from what its owners have captured. Belongs to the
/// migration thread; allocates nothing per epoch.</summary>
internal sealed class DeviceSectionWriter
{
    /// <summary>Ids below belong to sections that are sent in parts.</summary>
    public const uint FirstSectionId = RamSectionEncoder.SectionId + 1;

    private readonly ChannelBuffer _buffer;
    private readonly IStateOwner[] _owners;
    private readonly SaveVisitor _save;

    /// <summary>Checks the owners' names once, so that no save can fail on them.</summary>
    /// <param name="buffer">Where the sections go.</param>
    /// <param name="owners">In the order in which they are loaded on the other side.</param>
    public DeviceSectionWriter(ChannelBuffer buffer, IReadOnlyList<IStateOwner> owners)
    {
        _buffer = buffer;
        _owners = OwnerTable.Check(owners);
        _save = new SaveVisitor(buffer);
    }

    /// <summary>SECTION_FULL of every owner and EOF: the end of a plain migration, or QEMU's checkpoint blob.</summary>
    /// <exception cref="ChannelBufferFullException">The state is larger than the buffer may become.</exception>
    public void Write()
    {
        WriteSections();
        ElementCodec.WriteEof(_buffer);
    }

    /// <summary>The blob of one epoch: every owner, the <see cref="EpochTrailer"/>, EOF.</summary>
    /// <param name="digest">Has been fed the epoch's RAM sections and nothing else.</param>
    /// <param name="epoch">Number of the epoch.</param>
    /// <param name="pageCount">Page records in those sections.</param>
    /// <exception cref="ChannelBufferFullException">The state is larger than the buffer may become.</exception>
    public EpochTrailer WriteEpoch(StreamDigest digest, ulong epoch, ulong pageCount)
    {
        int start = _buffer.Length;
        WriteSections();
        return CloseEpoch(start, digest, epoch, pageCount);
    }

    /// <summary>Only the sections, for a pause that must be short: RAM may still be on its way.
    /// <see cref="CloseEpoch"/> completes the blob.</summary>
    public void WriteSections()
    {
        for (int index = 0; index < _owners.Length; index++)
        {
            IStateOwner owner = _owners[index];
            uint id = FirstSectionId + (uint)index;
            ElementCodec.WriteSection(_buffer, ElementKind.SectionFull, id, owner.Name, owner.InstanceId, owner.Version);
            owner.Current.Visit(_save);
            ElementCodec.WriteFooter(_buffer, id);
        }
    }

    /// <summary>Feeds the sections written since <paramref name="start"/> to the digest, adds trailer and EOF.</summary>
    public EpochTrailer CloseEpoch(int start, StreamDigest digest, ulong epoch, ulong pageCount)
    {
        ulong ramBytes = digest.ByteCount;
        digest.Append(_buffer.WrittenSpan[start..]);
        var trailer = new EpochTrailer(epoch, pageCount, ramBytes, digest.Value);
        trailer.Write(_buffer);
        ElementCodec.WriteEof(_buffer);
        return trailer;
    }
}
