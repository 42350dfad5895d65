using Kvm.Colo.Machine.Control;
using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Outgoing;

/// <summary>
/// What happens to RAM inside a cut: the dirty set is harvested and copied into staging, in wire form, so that the guest can go on
/// before a byte is sent. Runs on the control loop; between cuts the migration thread owns it.
/// </summary>
internal sealed class EpochCapture(GuestMemory memory, IDirtyLog dirtyLog, RamSectionEncoder encoder, PageStaging staging) : IPauseWork, IDisposable
{
    /// <summary>Pages that are dirty and not captured yet; a pass that sends ahead adds to it and takes from it.</summary>
    public PageBitmap Dirty { get; } = new(memory.PageCount);

    public PageStaging Staging { get; } = staging;

    /// <summary>Whether to hash all RAM inside the pause.</summary>
    public bool HashAllRam { get; set; }

    /// <summary>Takes the hash of all RAM at the cut, when it was asked for.</summary>
    public VerificationOwner Verification { get; } = new();

    /// <summary>Adds what was written since the last harvest to <see cref="Dirty"/>; right while the guest runs.</summary>
    public void Harvest()
    {
        dirtyLog.Harvest(Dirty);
        Dirty.TakeFrom(memory.DeviceDirty);
    }

    public void OnPaused()
    {
        Harvest();
        Staging.Reset();
        for (ulong page = Dirty.NextSet(0); page < Dirty.PageCount; page = Dirty.NextSet(page + 1))
        {
            if (!Staging.TryAdd(out Span<byte> record))
                throw new MigrationException($"more than {Staging.MaxPages} pages are dirty at once");
            int head = encoder.WritePage(record, 0, page << GuestPage.Shift);
            memory.Page(page).CopyTo(record[head..]);
        }

        Dirty.ClearAll();
        Verification.Sent = HashAllRam ? RamHasher.Compute(memory) : null;
    }

    public void Dispose() => Dirty.Dispose();
}
