namespace Kvm.Colo.Qmp.Schema;

/// <summary>Where a command's handler runs.</summary>
internal enum QmpCommandThread
{
    /// <summary>On the virtual machine's control loop: whatever changes or waits for its state.</summary>
    ControlLoop,

    /// <summary>On the monitor's own thread: it reads snapshots only.</summary>
    Snapshot,

    /// <summary>As <see cref="Snapshot"/>, and with <c>exec-oob</c> at once on the reading thread; must never wait.</summary>
    OutOfBand,
}
