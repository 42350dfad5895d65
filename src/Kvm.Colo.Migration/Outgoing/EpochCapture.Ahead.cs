using System.Numerics;
using Kvm.Colo.Memory;

namespace Kvm.Colo.Migration.Outgoing;

// The part of an epoch that leaves before its cut. A page is offered once in an epoch, when one harvest found it and the next did not.
// Every harvest protects a page again before it is copied here, so a page written during or after its copy is found by a later one, at
// the latest inside the cut, and is captured again: then what the peer holds of it is stale and is sent anew.
internal sealed partial class EpochCapture
{
    private readonly PageBitmap _recent = new(memory.PageCount);
    private readonly PageBitmap _settled = new(memory.PageCount);
    private readonly PageBitmap _offered = new(memory.PageCount);
    private AheadState[] _ahead = [];

    /// <summary>Records captured ahead: the first ones of <see cref="Staging"/>.</summary>
    public int AheadCount { get; private set; }

    /// <summary>Of those, how many were captured again.</summary>
    public int StaleCount { get; private set; }

    /// <summary>Pages written again although a harvest of this epoch had found them: write faults that only the harvests brought.</summary>
    public ulong AheadFaults { get; private set; }

    /// <summary>What became of a staged record before the cut.</summary>
    public AheadState AheadOf(int record) => record < AheadCount ? _ahead[record] : AheadState.None;

    /// <summary>Whether the peer holds a record as it is, or needs nothing of it.</summary>
    public bool IsSettled(int record) => AheadOf(record) is not AheadState.None and < AheadState.Stale;

    /// <summary>While the guest runs: harvests, and finds the pages that were written before the last harvest and not since.</summary>
    /// <returns>How many there are.</returns>
    public ulong HarvestAhead()
    {
        dirtyLog.Harvest(_recent);
        _recent.TakeFrom(memory.DeviceDirty);
        ulong again = 0;
        ulong found = 0;
        for (int word = NextAheadWord(0); word < Dirty.WordCount; word = NextAheadWord(word + 1))
        {
            ulong dirty = Dirty.Word(word);
            ulong offered = _offered.Word(word);
            ulong recent = _recent.Word(word);
            ulong settled = dirty & ~recent & ~offered;
            again += (ulong)BitOperations.PopCount((dirty | offered) & recent);
            found += (ulong)BitOperations.PopCount(settled);
            _settled.SetWord(word, settled);
            Dirty.SetWord(word, dirty | recent);
        }

        _recent.ClearAll();
        AheadFaults += again;
        return found;
    }

    /// <summary>
    /// Captures the next settled page into a new record. False when there is none; one it does take is settled with
    /// <see cref="Keep"/> or <see cref="Decline"/> before the next.
    /// </summary>
    public bool TryCaptureAhead(ref ulong from, out PageRecord record)
    {
        from = _settled.NextSet(from);
        if (from >= _settled.PageCount)
        {
            record = default;
            return false;
        }

        _settled.Clear(from);
        _offered.Mark(from);
        Dirty.Clear(from);
        record = RecordFor(from);
        StagedPage.WriteWhole(record, from, memory.Page(from));
        return true;
    }

    /// <summary>The record taken last belongs to the epoch now.</summary>
    public void Keep(AheadState sentAs)
    {
        if (AheadCount == _ahead.Length)
            Array.Resize(ref _ahead, Math.Max(1024, 2 * _ahead.Length));
        _ahead[AheadCount++] = sentAs;
    }

    /// <summary>The record taken last is not worth sending ahead: its page waits for the cut.</summary>
    public void Decline()
    {
        ulong page = Staging.Record(Staging.Count - 1).Page;
        _recordOfPage.Remove(page);
        Staging.RemoveLast();
        Dirty.Mark(page);
    }

    // Words of pages that were dirty before, are now, or were settled at the last harvest.
    private int NextAheadWord(int from) => Math.Min(Math.Min(Dirty.NextWord(from), _recent.NextWord(from)), _settled.NextWord(from));

    private void BeginAhead()
    {
        _settled.ClearAll();
        _offered.ClearAll();
        AheadCount = 0;
        StaleCount = 0;
        AheadFaults = 0;
    }

    private void MarkStale(int record)
    {
        if (!IsSettled(record))
            return;
        _ahead[record] |= AheadState.Stale;
        StaleCount++;
    }

    private void DisposeAhead()
    {
        _recent.Dispose();
        _settled.Dispose();
        _offered.Dispose();
    }
}
