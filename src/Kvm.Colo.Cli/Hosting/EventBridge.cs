using Kvm.Colo.Cli.Diagnostics;
using Kvm.Colo.Cli.Terminal;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Hosting;
using Kvm.Colo.Stream;
using Microsoft.Extensions.Logging;

namespace Kvm.Colo.Cli.Hosting;

/// <summary>
/// What the machine and its migrations report becomes events on monitors, traces, and lines for a person. Called on their
/// threads, some of it while the guest stands still: nothing here waits.
/// </summary>
internal sealed class EventBridge(TraceLog? trace, ILogger logger, ProgressLine progress) : IMachineObserver, IMigrationObserver
{
    private volatile QmpServer? _server;
    private volatile VirtualMachine? _machine;
    private volatile string _lastMessage = "";

    public MigrationClock Clock { get; } = new();

    /// <summary>Whether a failed incoming migration ends the process (QAPI <c>exit-on-error</c>).</summary>
    public bool EndsOnIncomingFailure { get; set; }

    /// <summary>From here on events go to monitors.</summary>
    public void Connect(QmpServer server) => _server = server;

    /// <summary>The machine whose incoming migration this is.</summary>
    public void Connect(VirtualMachine machine) => _machine = machine;

    public void OnStop(DateTimeOffset when) => _server?.EmitStop(when);

    public void OnResume() => _server?.EmitResume();

    public void OnShutdown(bool byGuest, ShutdownCause cause) => _server?.EmitShutdown(byGuest, cause.ToQmp());

    public void OnReset(bool byGuest, ShutdownCause cause) => _server?.EmitReset(byGuest, cause.ToQmp());

    public void OnPanic(PanicAction action) => _server?.EmitGuestPanicked(action switch
    {
        PanicAction.Pause => QmpGuestPanicAction.Pause,
        PanicAction.None => QmpGuestPanicAction.Run,
        _ => QmpGuestPanicAction.PowerOff,
    });

    public void OnCrashLoaded() => _server?.EmitGuestCrashLoaded(QmpGuestPanicAction.Run);

    public void OnPowerdown() => _server?.EmitPowerDown();

    public void OnBalloon(ulong actualBytes) => _server?.EmitBalloonChange(actualBytes);

    public void OnRunState(RunState from, RunState to) => trace?.RunState(from, to);

    public void OnCheckpointPause(bool begins) => trace?.CheckpointPause(begins);

    public void OnStatus(MigrationStatus status)
    {
        Clock.OnStatus(status);
        trace?.MigrationStatus(status);
        _server?.EmitMigration(status.ToQmp());
        progress.OnStatus(status);
        if (status == MigrationStatus.Colo)
            OnColoEntered();
        if (status == MigrationStatus.Failed && EndsOnIncomingFailure && _machine is { State: RunState.InMigrate } machine)
            machine.Quit(ShutdownCause.HostError, ExitStatus.Failed);
    }

    public void OnPass(int pass) => _server?.EmitMigrationPass(pass);

    public void OnColoExit(ColoMode mode, ColoExitReason reason)
    {
        if (reason == ColoExitReason.Error)
            _server?.EmitPeerLost(new QmpPeerLostEvent(mode.ToQmp(), _lastMessage));
        _server?.EmitColoExit(mode.ToQmp(), reason.ToQmp());
    }

    public void OnEpoch(ColoMode mode, in EpochRecord epoch) => _server?.EmitCheckpoint(new QmpCheckpointEvent(
        epoch.Epoch, epoch.Cause?.ToQmp(), (ulong)epoch.Pages, (ulong)epoch.Bytes, (ulong)epoch.Pause.Ticks * TimeSpan.NanosecondsPerTick));

    public void OnFailover(ColoMode mode, FailoverState state, ColoExitReason reason) =>
        _server?.EmitFailover(new QmpFailoverEvent(mode.ToQmp(), state.ToQmp(), reason.ToQmp()));

    public void OnProgress(MigrationProgress value) => progress.OnProgress(value);

    public void OnColoMessage(bool sent, ColoMessage message) => trace?.ColoMessage(sent, message);

    public void OnMessage(string text)
    {
        _lastMessage = text;

        // Not as a template: taking one apart for the first time costs two milliseconds, and this may be said between a loss and its event.
        logger.Log(LogLevel.Warning, default, text, null, static (text, _) => text);
    }

    private void OnColoEntered() => _server?.EmitColoEntered(Side());

    private QmpColoMode Side() => _machine is { Config.IsIncoming: true } ? QmpColoMode.Secondary : QmpColoMode.Primary;
}
