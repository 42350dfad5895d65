using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Incoming;

/// <summary>
/// The pages of an epoch on their way in: kept beside the running guest until the whole epoch is there and verified. A page that comes
/// again (because it was sent ahead of the cut and written afterwards) takes the place of what came before. A record's tag is its
/// kind; nothing the wire said is in it without a check. Migration thread.
/// </summary>
internal sealed class EpochStaging(ulong pageCount) : IDisposable
{
    // Records a delta's place is fetched ahead of its turn.
    private const int PrefetchDistance = 8;

    private readonly PageStaging _records = new(pageCount);
    private readonly PageIndex _recordOfPage = new(pageCount);
    private readonly byte[] _own = new byte[GuestPage.SizeBytes];
    private ulong _counted;
    private readonly RecentPeak _recentPeak = new();
    private PageFates _fates;

    /// <summary>Records that arrived over the link.</summary>
    public int Received { get; private set; }

    /// <summary>Of those, the ones sent ahead of the cut.</summary>
    public int ReceivedAhead { get; private set; }

    /// <summary>How pages came, one that came again counted again; identical are those the guest here had written the same.</summary>
    public PageFates Fates => _fates;

    /// <summary>All pages of the epoch: those that arrived and those the guest here had written the same.</summary>
    public int Count => _records.Count;

    public ulong HeldBytes => _records.HeldBytes;

    public void Reset()
    {
        _recentPeak.Add(_records.Count);
        for (int i = 0; i < _records.Count; i++)
            _recordOfPage.Remove(_records.Record(i).Page);
        _records.Reset();
        Received = 0;
        ReceivedAhead = 0;
        _counted = 0;
        _fates = default;
        if (_recentPeak.TryTake(out int peak))
            _records.Trim(peak);
    }

    /// <summary>Receives a SECTION_PART or SECTION_END of RAM.</summary>
    /// <param name="reader">Stands at the section's first byte.</param>
    /// <param name="ram">Decodes the records of the session.</param>
    /// <param name="isAhead">Whether it comes before its epoch's cut.</param>
    /// <exception cref="MigrationException">It is no such section, the peer sends more pages than it may, or a delta that is none.</exception>
    public void ReceiveSection(LinkReader reader, RamSectionDecoder ram, bool isAhead)
    {
        int consumed;
        StreamElement element;
        while (true)
        {
            FrameStatus status = ElementCodec.TryRead(reader.Available, out element, out consumed);
            if (status == FrameStatus.Ok)
                break;
            if (status == FrameStatus.Malformed)
                throw new MigrationException($"{reader.Link.Description}: an element of the epoch is malformed");
            reader.Fill();
        }

        bool isLegal = element.Kind == ElementKind.SectionPart || (element.Kind == ElementKind.SectionEnd && !isAhead);
        if (!isLegal || element.SectionId != RamSectionEncoder.SectionId)
            throw new MigrationException($"{reader.Link.Description}: unexpected {element.Kind} in an epoch");
        reader.Consume(consumed);
        for (RamRecord record = RamRecords.Next(reader, ram); record.Kind != RamRecordKind.EndOfSection; record = RamRecords.Next(reader, ram))
        {
            if (record.Kind is not (RamRecordKind.Page or RamRecordKind.ZeroPage or RamRecordKind.Delta))
                throw new MigrationException($"{reader.Link.Description}: a {record.Kind} record in an epoch");
            Receive(reader, record, isAhead);
        }

        RamRecords.Footer(reader);
    }

    /// <summary>
    /// Takes a page over from the guest here if its content has the hash the primary's has. The copy is taken first and hashed then, so
    /// it does not matter that the guest goes on writing.
    /// </summary>
    public bool TryTakeOwn(LinkReader reader, GuestMemory memory, ulong page, UInt128 hash, long seed)
    {
        memory.Page(page).CopyTo(_own);
        if (PageHash.Compute(_own, seed) != hash)
            return false;
        CountOne(reader);
        _own.CopyTo(RecordFor(reader, page).Write(page, (byte)RamRecordKind.Page, GuestPage.SizeBytes));
        _fates.Identical++;
        return true;
    }

    /// <summary>
    /// Writes all pages into the committed image, in the order in which they came, and adds them to <paramref name="changed"/>; the guest
    /// stands still.
    /// </summary>
    public void CommitTo(GuestMemory memory, PageBitmap changed)
    {
        for (int i = 0; i < _records.Count; i++)
        {
            if (i + PrefetchDistance < _records.Count)
                Prefetch(memory, _records.Record(i + PrefetchDistance));
            PageRecord record = _records.Record(i);
            ulong page = record.Page;
            changed.Set(page);
            switch ((RamRecordKind)record.Tag)
            {
                case RamRecordKind.ZeroPage:
                    memory.ZeroCommittedPage(page);
                    break;
                case RamRecordKind.Delta:
                    PageDelta.TryApply(record.Payload, memory.CommittedPageForWrite(page));
                    break;
                default:
                    memory.WriteCommittedPage(page, record.Payload);
                    break;
            }
        }
    }

    public void Dispose()
    {
        _records.Dispose();
        _recordOfPage.Dispose();
    }

    private static void Prefetch(GuestMemory memory, PageRecord record)
    {
        if ((RamRecordKind)record.Tag == RamRecordKind.Delta)
            NextPages.Prefetch(ref memory.CommittedPageForWrite(record.Page)[PageDelta.FirstChange(record.Payload)]);
    }

    private void Receive(LinkReader reader, RamRecord record, bool isAhead)
    {
        if (!isAhead)
            CountOne(reader);
        else if (ReceivedAhead++ >= RamSectionEncoder.MaxAheadRecords)
            throw new MigrationException($"{reader.Link.Description} sends more than {RamSectionEncoder.MaxAheadRecords} pages ahead of a cut");
        ulong page = record.PageOffset >> GuestPage.Shift;
        Span<byte> content = RecordFor(reader, page).Write(page, (byte)record.Kind, record.PayloadBytes);
        reader.ReadExactly(content);
        if (record.Kind == RamRecordKind.Delta && !PageDelta.IsLegal(content, GuestPage.SizeBytes))
            throw new MigrationException($"{reader.Link.Description} sends a delta that does not fit a page");
        Received++;
        switch (record.Kind)
        {
            case RamRecordKind.Delta:
                _fates.Delta++;
                break;
            case RamRecordKind.ZeroPage:
                _fates.Zero++;
                break;
            default:
                _fates.Full++;
                break;
        }
    }

    // Without this a peer could send pages over and over and never come to the end of an epoch.
    private void CountOne(LinkReader reader)
    {
        if (++_counted > pageCount)
            throw TooMany(reader);
    }

    private PageRecord RecordFor(LinkReader reader, ulong page)
    {
        int index = _recordOfPage[page];
        if (index >= 0)
            return _records.Record(index);
        if (!_records.TryAdd(out PageRecord record))
            throw TooMany(reader);
        _recordOfPage[page] = _records.Count - 1;
        return record;
    }

    private static MigrationException TooMany(LinkReader reader) => new($"{reader.Link.Description} sends more pages than the guest has");
}
