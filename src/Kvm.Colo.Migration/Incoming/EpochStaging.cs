using System.Runtime.InteropServices;
using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Incoming;

/// <summary>
/// The pages of an epoch on their way in: kept beside the running guest until the whole epoch is there and verified. Record header:
/// page number, with the kind in the upper bits; never what the wire said without a check. Migration thread.
/// </summary>
internal sealed class EpochStaging(ulong pageCount) : IDisposable
{
    private const ulong ZeroFlag = 1ul << 63;
    private const ulong PageMask = ZeroFlag - 1;

    private readonly PageStaging _records = new(pageCount);

    public int Count => _records.Count;

    public ulong HeldBytes => _records.HeldBytes;

    public void Reset() => _records.Reset();

    /// <summary>Receives one page record's content.</summary>
    /// <exception cref="MigrationException">The peer sends more pages than the guest has.</exception>
    public void Receive(LinkReader reader, RamRecord record)
    {
        if (!_records.TryAdd(out Span<byte> slot))
            throw new MigrationException($"{reader.Link.Description} sends more pages than the guest has");
        ulong page = record.PageOffset >> GuestPage.Shift;
        bool isZero = record.Kind == RamRecordKind.ZeroPage;
        MemoryMarshal.Write(slot, isZero ? page | ZeroFlag : page);
        if (!isZero)
            reader.ReadExactly(slot[PageStaging.HeaderBytes..]);
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
            changed.Mark(header & PageMask);
            if ((header & ZeroFlag) != 0)
                memory.ZeroCommittedPage(header & PageMask);
            else
                memory.WriteCommittedPage(header & PageMask, record[PageStaging.HeaderBytes..]);
        }
    }

    public void Dispose() => _records.Dispose();
}
