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
    private readonly PageBitmap _own = new(memory.PageCount);

    public void OnPaused()
    {
        dirtyLog.Harvest(_own);
        _own.TakeFrom(memory.DeviceDirty);
        staging.CommitTo(memory);
        DropOwnPages();
        if (devices.Apply() is { } failure)
            throw new MigrationException($"this host cannot load the epoch: {failure}");
        if (verification.Arrived is { } expected && RamHasher.Compute(memory) != expected)
            throw new MigrationException("verification failed: RAM differs from the primary's at the cut");
    }

    public void Dispose() => _own.Dispose();

    // A private copy hides the committed page; dropping it in runs costs one call each.
    private void DropOwnPages()
    {
        for (ulong first = _own.NextSet(0); first < _own.PageCount;)
        {
            ulong end = _own.NextClear(first);
            memory.DropPrivatePages(first, end - first);
            first = _own.NextSet(end);
        }

        _own.ClearAll();
    }
}
