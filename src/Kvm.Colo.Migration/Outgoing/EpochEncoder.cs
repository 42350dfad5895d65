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
    // Records a delta's place is fetched ahead of its turn.
    private const int PrefetchDistance = 8;

    private readonly RamSender _sender;
    private readonly PageCache? _cache;
    private readonly byte[] _delta = new byte[StagedPage.MaxDeltaBytes];
    private int _sentAhead;
    private bool _isPartOpen;

    /// <summary>With <paramref name="cachePages"/> of 0 nothing is remembered and no deltas are made.</summary>
    public EpochEncoder(RamSender sender, ulong pageCount, int cachePages)
    {
        _sender = sender;
        _cache = cachePages > 0 ? new PageCache(pageCount, (int)Math.Min((ulong)cachePages, pageCount)) : null;
    }

    /// <summary>What pages were when they were sent last, for the capture of the next epoch; null without deltas.</summary>
    public PageCache? LastSent => _cache;

    /// <summary>What became of the last epoch's pages.</summary>
    public PageFates Fates { get; private set; }

    /// <summary>Sends the records of an epoch that did not go ahead, as one section.</summary>
    /// <param name="captured">The epoch.</param>
    /// <param name="peerHas">Pages of which the peer has proved to hold the same content.</param>
    /// <returns>How many records of the epoch went on the wire, those sent ahead included.</returns>
    public int Send(EpochCapture captured, HashExchange? peerHas)
    {
        PageFates fates = default;
        PageStaging staged = captured.Staging;
        int onWire = _sentAhead;
        _sentAhead = 0;
        _cache?.NextGeneration();
        _sender.BeginSection(ElementKind.SectionEnd);
        for (int i = 0; i < staged.Count; i++)
        {
            if (_cache is not null && i + PrefetchDistance < staged.Count)
                PrefetchLast(staged.Record(i + PrefetchDistance));
            if (captured.IsSettled(i))
                continue;
            bool replaces = (captured.AheadOf(i) & AheadState.OnWire) != 0;
            SendOne(staged.Record(i), peerHas?.PeerHas(i) == true, replaces, ref fates);
        }

        _sender.EndSection();
        onWire += fates.Sent;
        for (int i = 0; i < captured.AheadCount; i++)
            Count(captured.AheadOf(i), ref fates);
        Fates = fates;
        return onWire;
    }

    /// <summary>
    /// Sends a record before its epoch's cut, in a section that <see cref="EndPart"/> closes. The base of a delta stays what was committed
    /// last, because this page may yet be captured again.
    /// </summary>
    /// <param name="record">A record just captured.</param>
    /// <param name="wholeToo">Whether a page may go that has no short form.</param>
    /// <returns>How it went; none when it had no short form.</returns>
    public AheadState SendAhead(PageRecord record, bool wholeToo)
    {
        ulong page = record.Page;
        ReadOnlySpan<byte> content = record.Payload;
        ReadOnlySpan<byte> last = _cache is null ? [] : _cache.Find(page);
        int delta = last.IsEmpty ? -1 : PageDelta.Encode(last, content, _delta);
        if (delta == 0)
            return AheadState.Same;
        bool isZero = delta < 0 && PageHash.IsZero(content);
        if (delta < 0 && !isZero && !wholeToo)
            return AheadState.None;
        if (!_isPartOpen)
            _sender.BeginSection(ElementKind.SectionPart);
        _isPartOpen = true;
        _sentAhead++;
        if (delta > 0)
        {
            _sender.AppendDelta(page, _delta.AsSpan(0, delta));
            return AheadState.Delta;
        }

        if (isZero)
            _sender.AppendZero(page);
        else
            _sender.AppendPage(page, content);
        return isZero ? AheadState.Zero : AheadState.Full;
    }

    /// <summary>Closes the section of <see cref="SendAhead"/>; false when nothing was put into it.</summary>
    public bool EndPart()
    {
        if (!_isPartOpen)
            return false;
        _isPartOpen = false;
        _sender.EndSection();
        return true;
    }

    /// <summary>Remembers what went ahead and was not replaced, once the epoch is on its way: now it is what was sent last.</summary>
    public void RememberAhead(EpochCapture captured)
    {
        if (_cache is null)
            return;
        for (int i = 0; i < captured.AheadCount; i++)
        {
            if (captured.IsSettled(i) && (captured.AheadOf(i) & AheadState.OnWire) != 0)
                Remember(captured.Staging.Record(i));
        }
    }

    public void Dispose() => _cache?.Dispose();

    private void PrefetchLast(PageRecord record)
    {
        if (StagedPage.IsDelta(record))
            _cache!.Prefetch(record.Page, PageDelta.FirstChange(record.Payload));
    }

    private void SendOne(PageRecord record, bool peerHas, bool replaces, ref PageFates fates)
    {
        ulong page = record.Page;
        Span<byte> last = _cache is null ? [] : _cache.Find(page);
        if (StagedPage.IsDelta(record))
        {
            SendDelta(page, record.Payload, last, replaces, ref fates);
            return;
        }

        ReadOnlySpan<byte> content = record.Payload;
        if (peerHas)
            fates.Identical++;
        else
            SendWhole(page, content, ref fates);
        Remember(page, content, last);
    }

    // What was sent last is still remembered: the cache keeps what was looked up in this epoch or the one before.
    private void SendDelta(ulong page, ReadOnlySpan<byte> delta, Span<byte> last, bool replaces, ref PageFates fates)
    {
        if (!delta.IsEmpty)
        {
            _sender.AppendDelta(page, delta);
            fates.Delta++;
            PageDelta.TryApply(delta, last);
        }
        else if (replaces)
        {
            SendWhole(page, last, ref fates);
        }
        else
        {
            fates.Identical++;
        }
    }

    private void Remember(PageRecord record)
    {
        ulong page = record.Page;
        ReadOnlySpan<byte> content = record.Payload;
        Remember(page, content, _cache!.Find(page));
    }

    private void Remember(ulong page, ReadOnlySpan<byte> content, Span<byte> last)
    {
        if (last.IsEmpty)
            _cache?.Add(page, content);
        else
            content.CopyTo(last);
    }

    private static void Count(AheadState sentAs, ref PageFates fates)
    {
        switch (sentAs)
        {
            case AheadState.Same:
                fates.Identical++;
                break;
            case AheadState.Delta:
                fates.Delta++;
                break;
            case AheadState.Zero:
                fates.Zero++;
                break;
            case AheadState.Full:
                fates.Full++;
                break;
        }
    }

    private void SendWhole(ulong page, ReadOnlySpan<byte> content, ref PageFates fates)
    {
        if (PageHash.IsZero(content))
        {
            _sender.AppendZero(page);
            fates.Zero++;
        }
        else
        {
            _sender.AppendPage(page, content);
            fates.Full++;
        }
    }
}
