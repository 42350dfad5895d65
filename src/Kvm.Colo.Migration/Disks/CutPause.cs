using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Control;
using Kvm.Colo.Migration.Outgoing;

namespace Kvm.Colo.Migration.Disks;

/// <summary>A primary's cut: RAM, disks and output of the guest at one moment.</summary>
internal sealed class CutPause(VirtualMachine machine, EpochCapture capture, DiskSender disks) : IPauseWork
{
    public void OnPaused()
    {
        disks.Freeze();
        machine.Io.MarkCut();
        capture.OnPaused();
    }

    public void OnSaved()
    {
        capture.Prove();
        capture.Verification.SentDisks = capture.HashAllRam && disks.HasWritable ? disks.Hash(capture.Verification.Proving) : null;
    }
}
