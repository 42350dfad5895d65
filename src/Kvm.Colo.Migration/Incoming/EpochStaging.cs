using System.Runtime.InteropServices;
using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Incoming;

/// <summary>
/// The pages of an epoch on their way in: kept beside the running guest until the whole epoch is there and verified. Record header:
/// page number, with the kind in the upper bits; never what the wire said without a check. Migration thread.
/// </summary>
internal sealed class EpochStaging(ulong pageCount) : IDisposable
{
    private const int KindShift = 56;
    private const int LengthShift = 40;
    private const ulong PageMask = (1ul << LengthShift) - 1;

    private readonly PageStaging _records = new(pageCount);
    private readonly RecentPeak _recentPeak = new();
    private PageFates _fates;

    /// <summary>Records that arrived over the link.</summary>
    public int Received => _fates.Sent;

    /// <summary>How the epoch's pages came; of those that did not, the ones the guest here had written the same.</summary>
    public PageFates Fates => _fates;

    /// <summary>All pages of the epoch: those that arrived and those the guest here had written the same.</summary>
    public int Count => _records.Count;

    public ulong HeldBytes => _records.HeldBytes;

    public void Reset()
    {
        _recentPeak.Add(_records.Count);
        _records.Reset();
        _fates = default;
        if (_recentPeak.TryTake(out int peak))
            _records.Trim(peak);
    }

    /// <summary>Receives one page record's content.</summary>
    /// <exception cref="MigrationException">The peer sends more pages than the guest has, or a delta that is none.</exception>
    public void Receive(LinkReader reader, RamRecord record)
    {
        Span<byte> slot = Add(reader);
        ulong page = record.PageOffset >> GuestPage.Shift;
        MemoryMarshal.Write(slot, page | ((ulong)record.Kind << KindShift) | ((ulong)record.PayloadBytes << LengthShift));
        Span<byte> content = slot.Slice(PageStaging.HeaderBytes, record.PayloadBytes);
        reader.ReadExactly(content);
        if (record.Kind == RamRecordKind.Delta && !PageDelta.IsLegal(content, GuestPage.SizeBytes))
            throw new MigrationException($"{reader.Link.Description} sends a delta that does not fit a page");
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

    /// <summary>
    /// Takes a page over from the guest here if its content has the hash the primary's has. The copy is taken first and hashed then, so
    /// it does not matter that the guest goes on writing.
    /// </summary>
    public bool TryTakeOwn(LinkReader reader, GuestMemory memory, ulong page, UInt128 hash, long seed)
    {
        Span<byte> slot = Add(reader);
        Span<byte> content = slot[PageStaging.HeaderBytes..];
        memory.Page(page).CopyTo(content);
        if (PageHash.Compute(content, seed) != hash)
        {
            _records.RemoveLast();
            return false;
        }

        MemoryMarshal.Write(slot, page | ((ulong)RamRecordKind.Page << KindShift));
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
            ReadOnlySpan<byte> record = _records.Record(i);
            ulong header = MemoryMarshal.Read<ulong>(record);
            ulong page = header & PageMask;
            changed.Mark(page);
            switch ((RamRecordKind)(header >> KindShift))
            {
                case RamRecordKind.ZeroPage:
                    memory.ZeroCommittedPage(page);
                    break;
                case RamRecordKind.Delta:
                    int length = (int)(header >> LengthShift & ushort.MaxValue);
                    PageDelta.TryApply(record.Slice(PageStaging.HeaderBytes, length), memory.CommittedPageForWrite(page));
                    break;
                default:
                    memory.WriteCommittedPage(page, record[PageStaging.HeaderBytes..]);
                    break;
            }
        }
    }

    public void Dispose() => _records.Dispose();

    private Span<byte> Add(LinkReader reader)
    {
        if (!_records.TryAdd(out Span<byte> slot))
            throw new MigrationException($"{reader.Link.Description} sends more pages than the guest has");
        return slot;
    }
}
