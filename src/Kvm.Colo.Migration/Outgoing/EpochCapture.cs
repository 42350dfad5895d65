using Kvm.Colo.Machine.Control;
using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Colo;

namespace Kvm.Colo.Migration.Outgoing;

/// <summary>
/// Copies an epoch's dirty pages into staging, so that the guest can go on before a byte is sent; where it is known what a page was when
/// it was sent last, only the difference is taken. A large dirty set is copied ahead while the guest still runs; the cut then finds only
/// what was written again. Inside a cut it runs on the control loop, between cuts it belongs to the migration thread.
/// </summary>
internal sealed partial class EpochCapture(GuestMemory memory, IDirtyLog dirtyLog, PageStaging staging) : IPauseWork, IDisposable
{
    // A page compared or copied inside the pause, where the caches are cold, takes it one to two microseconds: at 256 pages more than everything
    // else. Below this many that is not worth the write faults of another harvest.
    private const int CopyAheadPages = 64;
    private const int MaxCopyAheadPasses = 4;

    private readonly PageIndex _recordOfPage = new(memory.PageCount);
    private readonly RecentPeak _recentPeak = new();
    private readonly byte[] _delta = new byte[StagedPage.MaxDeltaBytes];
    private int _lastCount;

    /// <summary>Pages that are dirty and not captured yet; a pass that sends ahead adds to it and takes from it.</summary>
    public PageBitmap Dirty { get; } = new(memory.PageCount);

    /// <summary>Records of the form of <see cref="StagedPage"/>.</summary>
    public PageStaging Staging { get; } = staging;

    /// <summary>What pages were when they were sent last; without it all are staged whole.</summary>
    public PageCache? LastSent { get; set; }

    /// <summary>Whether to hash all RAM inside the pause.</summary>
    public bool HashAllRam { get; set; }

    /// <summary>Takes the hash of all RAM at the cut, when it was asked for.</summary>
    public VerificationOwner Verification { get; } = new();

    /// <summary>Pages copied inside the last pause.</summary>
    public int PausePages { get; private set; }

    /// <summary>Adds what was written since the last harvest to <see cref="Dirty"/>; right while the guest runs.</summary>
    public void Harvest()
    {
        dirtyLog.Harvest(Dirty);
        Dirty.TakeFrom(memory.DeviceDirty);
    }

    /// <summary>Begins an epoch: what the last one staged is forgotten.</summary>
    public void Begin()
    {
        for (int i = 0; i < Staging.Count; i++)
            _recordOfPage.Remove(Staging.Record(i).Page);
        BeginAhead();
        _recentPeak.Add(Staging.Count);
        Staging.Reset();
        if (_recentPeak.TryTake(out int peak))
            Staging.Trim(peak);
    }

    /// <summary>
    /// While the guest runs, copies a dirty set that the last epoch lets expect to be large, again and again until little is left or the
    /// guest writes as fast as this copies.
    /// </summary>
    public void CopyAhead()
    {
        ulong before = ulong.MaxValue;
        for (int pass = 0; pass < MaxCopyAheadPasses && (pass > 0 || _lastCount > CopyAheadPages); pass++)
        {
            Harvest();
            ulong count = Dirty.CountSet();
            if (count <= CopyAheadPages / 2 || count > before - (before / 4))
                return;
            before = count;
            CopyDirty();
        }
    }

    public void OnPaused()
    {
        Harvest();
        PausePages = CopyDirty();
        _lastCount = Staging.Count;
    }

    /// <summary>
    /// Hashes all RAM when that was asked for, after everything that was written up to here has been captured too: a vCPU thread that
    /// loses its CPU while it saves makes KVM write the guest's steal time, which can wait for the next epoch but not for the proof.
    /// </summary>
    public void Prove()
    {
        Verification.Sent = null;
        if (!HashAllRam)
            return;
        Harvest();
        PausePages += CopyDirty();
        Verification.Sent = RamHasher.Compute(memory, Verification.Proving);
    }

    public void Dispose()
    {
        Dirty.Dispose();
        _recordOfPage.Dispose();
        DisposeAhead();
    }

    private int CopyDirty()
    {
        int copied = 0;
        ulong next;
        for (ulong page = Dirty.NextSet(0); page < Dirty.PageCount; page = next)
        {
            next = Dirty.NextSet(page + 1);
            Capture(page, next);
            copied++;
        }

        Dirty.ClearAll();
        return copied;
    }

    private void Capture(ulong page, ulong next)
    {
        PageRecord record = RecordFor(page);
        ReadOnlySpan<byte> now = memory.Page(page);
        ReadOnlySpan<byte> last = LastSent is null ? [] : LastSent.Find(page);
        NextPages ahead = last.IsEmpty || next >= memory.PageCount ? default : new NextPages(LastSent!.Peek(next), memory.Page(next));
        if (last.IsEmpty || !StagedPage.TryWriteDelta(record, page, last, now, _delta, ahead))
            StagedPage.WriteWhole(record, page, now);
    }

    private PageRecord RecordFor(ulong page)
    {
        int index = _recordOfPage[page];
        if (index >= 0)
        {
            MarkStale(index);
            return Staging.Record(index);
        }

        if (!Staging.TryAdd(out PageRecord record))
            throw new MigrationException($"more than {Staging.MaxPages} pages are dirty at once");
        _recordOfPage[page] = Staging.Count - 1;
        return record;
    }
}
