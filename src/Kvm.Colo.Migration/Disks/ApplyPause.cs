using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Control;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Migration.Incoming;

namespace Kvm.Colo.Migration.Disks;

/// <summary>An epoch goes live on a secondary: what its guest did to disks and network never happened, then disks and RAM change.</summary>
internal sealed class ApplyPause(VirtualMachine machine, EpochApply apply, DiskReceiver disks, VerificationOwner verification) : IPauseWork
{
    public void OnPaused()
    {
        machine.Io.DropSpeculation();
        disks.Commit();
        apply.OnPaused();
        if (verification.ArrivedDisks is { } expected && disks.Hash(verification.Proving) != expected)
            throw new MigrationException("verification failed: the disks differ from the primary's at the cut");
    }
}
