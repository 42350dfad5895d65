using Kvm.Colo.Qmp.Commands;
using Kvm.Colo.Qmp.Hosting;
using Kvm.Colo.Qmp.Protocol;
using Kvm.Colo.Qmp.Schema;

namespace Kvm.Colo.Qmp;

/// <summary>
/// Events, from any thread. None waits for a client, and none allocates while no monitor has left negotiation.
/// </summary>
internal sealed partial class QmpServer
{
    public void EmitStop(DateTimeOffset? when = null) => Emit(QmpEvents.Stop, default(QmpNothing), when);

    public void EmitResume() => Emit(QmpEvents.Resume, default(QmpNothing));

    public void EmitPowerDown() => Emit(QmpEvents.PowerDown, default(QmpNothing));

    public void EmitSuspend() => Emit(QmpEvents.Suspend, default(QmpNothing));

    public void EmitWakeUp() => Emit(QmpEvents.WakeUp, default(QmpNothing));

    public void EmitShutdown(bool guest, QmpShutdownCause reason) =>
        Emit(QmpEvents.Shutdown, new QmpShutdownEvent(guest, reason));

    public void EmitReset(bool guest, QmpShutdownCause reason) => Emit(QmpEvents.Reset, new QmpShutdownEvent(guest, reason));

    public void EmitWatchdog(QmpWatchdogAction action) => Emit(QmpEvents.Watchdog, action);

    public void EmitGuestPanicked(QmpGuestPanicAction action) => Emit(QmpEvents.GuestPanicked, action);

    public void EmitGuestCrashLoaded(QmpGuestPanicAction action) => Emit(QmpEvents.GuestCrashLoaded, action);

    public void EmitBalloonChange(ulong actualBytes) => Emit(GuestMemoryCommands.Changed, (long)actualBytes);

    public void EmitBlockIoError(in QmpBlockIoErrorEvent error) => Emit(QmpEvents.BlockIoError, error);

    /// <summary>Sent only while the migration capability <c>events</c> is on.</summary>
    public void EmitMigration(QmpMigrationStatus status)
    {
        if (Host.Migration.Settings.SendsEvents)
            Emit(QmpEvents.Migration, status);
    }

    /// <summary>Sent only while the migration capability <c>events</c> is on.</summary>
    /// <param name="pass">Counted from 1.</param>
    public void EmitMigrationPass(long pass)
    {
        if (Host.Migration.Settings.SendsEvents)
            Emit(QmpEvents.MigrationPass, pass);
    }

    /// <summary>This side has left COLO.</summary>
    /// <param name="mode">Primary or secondary.</param>
    /// <param name="reason">Request or error.</param>
    public void EmitColoExit(QmpColoMode mode, QmpColoExitReason reason) =>
        Emit(QmpEvents.ColoExit, new QmpColoExitEvent(mode, reason));

    public void EmitColoEntered(QmpColoMode mode) => Emit(QmpEvents.ColoEntered, mode);

    public void EmitCheckpoint(in QmpCheckpointEvent checkpoint) => Emit(QmpEvents.Checkpoint, checkpoint);

    public void EmitPeerLost(in QmpPeerLostEvent loss) => Emit(QmpEvents.PeerLost, loss);

    public void EmitFailover(in QmpFailoverEvent change) => Emit(QmpEvents.Failover, change);

    /// <summary>Sends an event to every monitor that has left negotiation.</summary>
    /// <param name="item">Which.</param>
    /// <param name="data">Its members.</param>
    /// <param name="when">Its time stamp; now, when it is not given.</param>
    public void Emit<T>(QmpEvent<T> item, T data, DateTimeOffset? when = null)
    {
        if (Volatile.Read(ref _negotiated).Length == 0)
            return;
        if (item.RateKey?.Invoke(data) is { } key)
            _limiter.Add(item, key, data);
        else
            Send(QmpEventLine.Write(item, data, when ?? Options.Time.GetUtcNow()));
    }

    private void Send(byte[] line)
    {
        foreach (QmpSession session in Volatile.Read(ref _negotiated))
            session.Post(line);
    }
}
