using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Outgoing;

/// <summary>
/// Decides how each staged page travels: not at all (nothing changed, or the peer has it), as zeros, as a delta against what was sent
/// last, or whole. Works on staging, so the guest runs meanwhile. Migration thread.
/// </summary>
internal sealed class EpochEncoder : IDisposable
{
    // A delta larger than this saves less than it costs both sides.
    private const int MaxDeltaBytes = GuestPage.SizeBytes * 3 / 4;

    private readonly RamSender _sender;
    private readonly PageCache? _cache;
    private readonly byte[] _delta = new byte[MaxDeltaBytes];

    /// <summary>With <paramref name="cachePages"/> of 0 nothing is remembered and no deltas are made.</summary>
    public EpochEncoder(RamSender sender, ulong pageCount, int cachePages)
    {
        _sender = sender;
        _cache = cachePages > 0 ? new PageCache(pageCount, (int)Math.Min((ulong)cachePages, pageCount)) : null;
    }

    /// <summary>What became of the last epoch's pages.</summary>
    public PageFates Fates { get; private set; }

    /// <summary>Sends the records of an epoch as one section and returns how many went on the wire.</summary>
    /// <param name="staged">The epoch.</param>
    /// <param name="peerHas">Pages of which the peer has proved to hold the same content.</param>
    public int Send(PageStaging staged, HashExchange? peerHas)
    {
        PageFates fates = default;
        _cache?.NextGeneration();
        _sender.BeginSection(ElementKind.SectionEnd);
        for (int i = 0; i < staged.Count; i++)
            SendOne(staged.Record(i), peerHas?.PeerHas(i) == true, ref fates);
        _sender.EndSection();
        Fates = fates;
        return fates.Sent;
    }

    /// <summary>Whether a page would travel as little or nothing without asking the peer about it.</summary>
    public bool IsCheap(ReadOnlySpan<byte> record)
    {
        if (_cache is null)
            return false;
        ReadOnlySpan<byte> last = _cache.Find(EpochCapture.PageOf(record));
        return !last.IsEmpty && PageDelta.Encode(last, record[PageStaging.HeaderBytes..], _delta) >= 0;
    }

    public void Dispose() => _cache?.Dispose();

    private void SendOne(ReadOnlySpan<byte> record, bool peerHas, ref PageFates fates)
    {
        ulong page = EpochCapture.PageOf(record);
        ReadOnlySpan<byte> content = record[PageStaging.HeaderBytes..];
        Span<byte> last = _cache is null ? [] : _cache.Find(page);
        if (peerHas)
        {
            fates.Identical++;
        }
        else if (last.IsEmpty)
        {
            SendWhole(record, page, content, ref fates);
        }
        else
        {
            int delta = PageDelta.Encode(last, content, _delta);
            if (delta == 0)
            {
                fates.Identical++;
                return;
            }

            if (delta < 0)
            {
                SendWhole(record, page, content, ref fates);
            }
            else
            {
                _sender.AppendDelta(page, _delta.AsSpan(0, delta));
                fates.Delta++;
            }
        }

        if (last.IsEmpty)
            _cache?.Add(page, content);
        else
            content.CopyTo(last);
    }

    private void SendWhole(ReadOnlySpan<byte> record, ulong page, ReadOnlySpan<byte> content, ref PageFates fates)
    {
        if (PageHash.IsZero(content))
        {
            _sender.AppendZero(page);
            fates.Zero++;
        }
        else
        {
            _sender.AppendRecord(record);
            fates.Full++;
        }
    }
}
