namespace Kvm.Colo.Machine.Control;

/// <summary>What happens inside a pause of the guest. Runs on the control loop thread with every vCPU parked; must not block on the peer.</summary>
internal interface IPauseWork
{
    void OnPaused();

    /// <summary>After a cut's <see cref="OnPaused"/>, when the whole state has been captured too. The guest still stands.</summary>
    void OnSaved()
    {
    }
}
