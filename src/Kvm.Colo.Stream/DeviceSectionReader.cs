namespace Kvm.Colo.Stream;

/// <summary>Parses a machine's device sections into the staged states of their owners: all of them, each once, or nothing counts.
/// It applies nothing; <see cref="Apply"/> is the one step after which there is no way back. Migration thread.</summary>
internal sealed class DeviceSectionReader
{
    private readonly IStateOwner[] _owners;
    private readonly bool[] _seen;
    private readonly LoadVisitor _load = new();
    private int _next;

    public DeviceSectionReader(IReadOnlyList<IStateOwner> owners)
    {
        _owners = OwnerTable.Check(owners);
        _seen = new bool[_owners.Length];
    }

    /// <summary>What was wrong, after anything but Ok.</summary>
    public string? Reason { get; private set; }

    /// <summary>The epoch trailer, if the last read met one.</summary>
    public EpochTrailer? Trailer { get; private set; }

    /// <summary>Offset in the source where the trailer's section begins: the digest covers what is before.</summary>
    public int TrailerOffset { get; private set; }

    /// <summary>Parses sections up to and including EOF, then validates every staged state. With NeedMoreData the caller reads
    /// more and starts again from the first section; staged states are then undefined.</summary>
    /// <param name="source">Bytes from the first SECTION_FULL on.</param>
    /// <param name="consumed">Bytes up to and including EOF when Ok.</param>
    public FrameStatus TryRead(ReadOnlyMemory<byte> source, out int consumed)
    {
        consumed = 0;
        Reason = null;
        Trailer = null;
        TrailerOffset = 0;
        _next = 0;
        Array.Clear(_seen);
        int position = 0;
        while (true)
        {
            int start = position;
            FrameStatus status = ElementCodec.TryRead(source.Span[position..], out StreamElement element, out int headBytes);
            if (status != FrameStatus.Ok)
                return Fail(status, "a section head is cut off or illegal");
            position += headBytes;
            if (element.Kind == ElementKind.Eof)
                break;
            if (element.Kind != ElementKind.SectionFull)
                return Fail(FrameStatus.Malformed, "something other than a full section among the device sections");
            if (Trailer is not null)
                return Fail(FrameStatus.Malformed, "a section after the epoch trailer");
            status = ReadSection(source, element, start, ref position);
            if (status != FrameStatus.Ok)
                return status;
        }

        FrameStatus complete = CheckComplete();
        if (complete == FrameStatus.Ok)
            consumed = position;
        return complete;
    }

    /// <summary>Reads a complete epoch blob: nothing may be missing, nothing may follow, and the trailer must describe what
    /// arrived. Any other answer than Ok means that the epoch must be dropped.</summary>
    /// <param name="blob">The bytes announced by vmstate-size.</param>
    /// <param name="digest">Has been fed the epoch's RAM sections and nothing else; is fed the blob here.</param>
    /// <param name="epoch">The epoch that is due.</param>
    /// <param name="pageCount">Page records that arrived.</param>
    public FrameStatus ReadEpoch(ReadOnlyMemory<byte> blob, StreamDigest digest, ulong epoch, ulong pageCount)
    {
        FrameStatus status = TryRead(blob, out int consumed);
        if (status == FrameStatus.NeedMoreData)
            return Fail(FrameStatus.Malformed, Reason!);
        if (status != FrameStatus.Ok)
            return status;
        if (consumed != blob.Length)
            return Fail(FrameStatus.Malformed, "bytes follow the end of the blob");
        if (Trailer is not { } trailer)
            return Fail(FrameStatus.Malformed, "the epoch trailer is missing");
        ulong ramBytes = digest.ByteCount;
        digest.Append(blob.Span[..TrailerOffset]);
        string? difference = trailer.Verify(new EpochTrailer(epoch, pageCount, ramBytes, digest.Value));
        return difference is null ? FrameStatus.Ok : Fail(FrameStatus.Malformed, difference);
    }

    /// <summary>Makes all staged states live, in the owners' order. Null, or which owner the host refused and why.</summary>
    public string? Apply()
    {
        foreach (IStateOwner owner in _owners)
        {
            string? failure = owner.Apply();
            if (failure is not null)
                return $"{owner.Name} {owner.InstanceId}: {failure}";
        }

        return null;
    }

    private FrameStatus ReadSection(ReadOnlyMemory<byte> source, StreamElement head, int start, ref int position)
    {
        if (WireName.Matches(head.Name, EpochTrailer.SectionName))
            return ReadTrailer(source, head, start, ref position);
        int index = Find(head.Name, head.InstanceId);
        if (index < 0)
            return Fail(FrameStatus.Malformed, "a section of an unknown device");
        IStateOwner owner = _owners[index];
        if (_seen[index])
            return Fail(owner, "appears twice");
        if (head.Version != owner.Version)
            return Fail(owner, "has another version");
        _seen[index] = true;
        _load.Reset(source, position);
        owner.Staged.Visit(_load);
        if (_load.Status != FrameStatus.Ok)
            return Fail(_load.Status, $"{owner.Name} {owner.InstanceId}: {_load.Reason}");
        FrameStatus footer = ElementCodec.TryReadFooter(source.Span[_load.Position..], head.SectionId);
        if (footer == FrameStatus.Malformed)
            return Fail(owner, "does not end where its fields do");
        if (footer != FrameStatus.Ok)
            return Fail(footer, "a section footer is cut off");
        position = _load.Position + ElementCodec.FooterBytes;
        return FrameStatus.Ok;
    }

    private FrameStatus ReadTrailer(ReadOnlyMemory<byte> source, StreamElement head, int start, ref int position)
    {
        if (head.Version != EpochTrailer.SectionVersion || head.InstanceId != 0)
            return Fail(FrameStatus.Malformed, "the epoch trailer has another version");
        FrameStatus status = EpochTrailer.TryReadBody(
            source.Span[position..], head.SectionId, out EpochTrailer trailer, out int consumed);
        if (status != FrameStatus.Ok)
            return Fail(status, "the epoch trailer is cut off or illegal");
        Trailer = trailer;
        TrailerOffset = start;
        position += consumed;
        return FrameStatus.Ok;
    }

    private FrameStatus CheckComplete()
    {
        for (int index = 0; index < _owners.Length; index++)
        {
            if (!_seen[index])
                return Fail(_owners[index], "is missing");
        }

        foreach (IStateOwner owner in _owners)
        {
            string? why = owner.Staged.Validate();
            if (why is not null)
                return Fail(owner, why);
        }

        return FrameStatus.Ok;
    }

    /// <summary>Both ends list their owners in one order, so the search begins after the last hit.</summary>
    private int Find(ReadOnlySpan<byte> name, uint instanceId)
    {
        for (int tried = 0; tried < _owners.Length; tried++)
        {
            int index = (_next + tried) % _owners.Length;
            if (_owners[index].InstanceId == instanceId && WireName.Matches(name, _owners[index].Name))
            {
                _next = index + 1;
                return index;
            }
        }

        return -1;
    }

    private FrameStatus Fail(IStateOwner owner, string what) =>
        Fail(FrameStatus.Malformed, $"{owner.Name} {owner.InstanceId}: {what}");

    private FrameStatus Fail(FrameStatus status, string reason)
    {
        Reason = reason;
        return status;
    }
}
