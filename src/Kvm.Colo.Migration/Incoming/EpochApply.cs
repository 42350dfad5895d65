using Kvm.Colo.Machine.Control;
using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Incoming;

/// <summary>
/// Makes an epoch live, inside the pause of the secondary's guest: its own writes are dropped, the staged pages become the committed
/// image, devices and vCPUs are loaded. From here there is no way back, and none is needed: everything is in memory.
/// </summary>
internal sealed class EpochApply(
    GuestMemory memory, IDirtyLog dirtyLog, EpochStaging staging, DeviceSectionReader devices, VerificationOwner verification)
    : IPauseWork, IDisposable
{
    // Pages whose private copy must go: those the guest wrote, and those the epoch changes. The second matters because a write fault
    // that the stop interrupted may have made a private copy without a word in the dirty log: that copy equals the committed page
    // until an epoch changes it.
    private readonly PageBitmap _stale = new(memory.PageCount);

    public void OnPaused()
    {
        dirtyLog.Harvest(_stale);
        _stale.TakeFrom(memory.DeviceDirty);
        staging.CommitTo(memory, _stale);
        DropStalePages();
        if (devices.Apply() is { } failure)
            throw new MigrationException($"this host cannot load the epoch: {failure}");
        if (verification.Arrived is { } expected && RamHasher.Compute(memory) != expected)
            throw new MigrationException($"verification failed: RAM differs from the primary's at the cut ({DescribeDifference()})");
    }

    public void Dispose() => _stale.Dispose();

    // Tells a page that was never sent from one whose private copy was never dropped.
    private string DescribeDifference()
    {
        ulong first = memory.PageCount;
        ulong count = 0;
        for (ulong page = memory.PageCount; page-- > 0;)
        {
            if (memory.Page(page).SequenceEqual(memory.CommittedPage(page)))
                continue;
            first = page;
            count++;
        }

        return count == 0
            ? "every page equals the committed image, so a page was not sent"
            : $"{count} pages hide the committed image, the first is {first}";
    }

    // A private copy hides the committed page; dropping it in runs costs one call each.
    private void DropStalePages()
    {
        for (ulong first = _stale.NextSet(0); first < _stale.PageCount;)
        {
            ulong end = _stale.NextClear(first);
            memory.DropPrivatePages(first, end - first);
            first = _stale.NextSet(end);
        }

        _stale.ClearAll();
    }
}
