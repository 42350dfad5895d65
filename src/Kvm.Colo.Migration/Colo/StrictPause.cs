using Kvm.Colo.Machine.Control;

namespace Kvm.Colo.Migration.Colo;

/// <summary>A pause that lasts until the peer runs the epoch: the way of QEMU, here for comparison.</summary>
internal sealed class StrictPause(IPauseWork capture, Action exchange) : IPauseWork
{
    public void OnPaused() => capture.OnPaused();

    public void OnSaved()
    {
        capture.OnSaved();
        exchange();
    }
}
