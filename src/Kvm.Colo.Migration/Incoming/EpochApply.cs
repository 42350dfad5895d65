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
    GuestMemory memory, IDirtyLog dirtyLog, EpochStaging staging, DeviceSectionReader devices, VerificationOwner verification, bool keepsHotPages)
    : IPauseWork, IDisposable
{
    private readonly PrivatePages _private = new(memory, keepsHotPages);
    private readonly PageBitmap _changed = new(memory.PageCount);

    public void OnPaused()
    {
        dirtyLog.Harvest(_private.Written);
        _private.Written.TakeFrom(memory.DeviceDirty);
        staging.CommitTo(memory, _changed);
        _private.Reconcile(_changed);
        _changed.ClearAll();
        if (devices.Apply() is { } failure)
            throw new MigrationException($"this host cannot load the epoch: {failure}");

        // Loading a vCPU makes KVM write its paravirtual pages (steal time), where the epoch has put what belongs there.
        dirtyLog.Harvest(_private.Written);
        _private.TakeBack();
        if (verification.Arrived is { } expected && RamHasher.Compute(memory, verification.Proving) != expected)
            throw new MigrationException($"verification failed: RAM differs from the primary's at the cut ({DescribeDifference()})");
    }

    public void Dispose()
    {
        _private.Dispose();
        _changed.Dispose();
    }

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
}
