using System.Text.Json;
using Kvm.Colo.Qmp.Hosting;

namespace Kvm.Colo.Qmp.Tests;

/// <summary>What events say, to whom they go, and how often.</summary>
public sealed class EventTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly ServerFixture _fixture;

    public EventTests() => _fixture = new ServerFixture(new QmpServerOptions { Time = _time });

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void EveryEvent_HasItsTranscript()
    {
        using RawClient client = _fixture.Negotiated();
        QmpServer server = _fixture.Server;
        _fixture.Host.Settings.SetCapabilities([new Migration.MigrationCapabilityStatus(Migration.MigrationCapability.Events,
            State: true)],
            migrationInProgress: false);
        server.EmitStop();
        server.EmitResume();
        server.EmitShutdown(guest: true, QmpShutdownCause.GuestShutdown);
        server.EmitReset(guest: false, QmpShutdownCause.HostQmpSystemReset);
        server.EmitPowerDown();
        server.EmitSuspend();
        server.EmitWakeUp();
        server.EmitWatchdog(QmpWatchdogAction.InjectNmi);
        server.EmitGuestPanicked(QmpGuestPanicAction.PowerOff);
        server.EmitGuestCrashLoaded(QmpGuestPanicAction.Run);
        server.EmitBlockIoError(new QmpBlockIoErrorEvent("/machine/disk0", "disk0", NodeName: null, QmpIoOperation.Write,
            QmpBlockErrorAction.Stop, NoSpace: true, "No space left on device"));
        server.EmitBalloonChange(65536);
        server.EmitMigration(QmpMigrationStatus.PostcopyRecoverSetup);
        server.EmitMigrationPass(3);
        server.EmitColoEntered(QmpColoMode.Primary);
        server.EmitCheckpoint(new QmpCheckpointEvent(7, QmpCheckpointCause.PacketMismatch, 12, 49152, 180_000));
        server.EmitPeerLost(new QmpPeerLostEvent(QmpColoMode.Secondary, "connection reset"));
        server.EmitFailover(new QmpFailoverEvent(QmpColoMode.Secondary, QmpFailoverState.Active, QmpColoExitReason.Request));
        server.EmitColoExit(QmpColoMode.Secondary, QmpColoExitReason.Error);

        string[] expected =
        [
            "STOP", "RESUME", """SHUTDOWN {"guest":true,"reason":"guest-shutdown"}""",
            """RESET {"guest":false,"reason":"host-qmp-system-reset"}""", "POWERDOWN", "SUSPEND", "WAKEUP",
            """WATCHDOG {"action":"inject-nmi"}""", """GUEST_PANICKED {"action":"poweroff"}""",
            """GUEST_CRASHLOADED {"action":"run"}""",
            """BLOCK_IO_ERROR {"qom-path":"/machine/disk0","device":"disk0","operation":"write","action":"stop","nospace":true,"""
                + "\"reason\":\"No space left on device\"}",
            """BALLOON_CHANGE {"actual":65536}""",
            """MIGRATION {"status":"postcopy-recover-setup"}""", """MIGRATION_PASS {"pass":3}""",
            """__org.colo-vm_COLO_ENTERED {"mode":"primary"}""",
            """__org.colo-vm_CHECKPOINT {"epoch":7,"cause":"packet-mismatch","dirty-pages":12,"bytes":49152,"pause-ns":180000}""",
            """__org.colo-vm_PEER_LOST {"mode":"secondary","reason":"connection reset"}""",
            """__org.colo-vm_FAILOVER {"mode":"secondary","state":"active","reason":"request"}""",
            """COLO_EXIT {"mode":"secondary","reason":"error"}""",
        ];
        foreach (string text in expected)
        {
            JsonElement item = client.Read();
            string data = item.TryGetProperty("data", out JsonElement value) ? " " + value.GetRawText() : "";
            Assert.Equal(text, item.GetProperty("event").GetString() + data);
            Assert.Equal("""{"seconds":1893553445,"microseconds":0}""", item.GetProperty("timestamp").GetRawText());
        }

        // The one that is left is told to slow clients only: LoadTests has it.
        Assert.Equal(["__org.colo-vm_EVENTS_LOST"], QmpEvents.All.Select(item => item.Name).Except(expected.Select(text => text.Split(' ')[0])));
    }

    [Fact]
    public void MigrationEvents_NeedTheCapability()
    {
        using RawClient client = _fixture.Negotiated();
        _fixture.Server.EmitMigration(QmpMigrationStatus.Active);
        _fixture.Server.EmitMigrationPass(1);
        _fixture.Server.EmitStop();
        Assert.Equal("STOP", client.Read().GetProperty("event").GetString());
    }

    [Fact]
    public void EventsGoToNegotiatedMonitorsOnly()
    {
        using RawClient negotiating = _fixture.Connect();
        negotiating.ReadLine();
        using RawClient first = _fixture.Negotiated();
        using RawClient second = _fixture.Negotiated();
        _fixture.Server.EmitStop();
        Assert.Equal("STOP", first.Read().GetProperty("event").GetString());
        Assert.Equal("STOP", second.Read().GetProperty("event").GetString());
        Assert.Equal("""{"return":{}}""", negotiating.Ask("""{"execute":"qmp_capabilities"}"""));
    }

    [Fact]
    public void LimitedEvent_GoesOutFirstAndLast_OncePerSecondAndKey()
    {
        using RawClient client = _fixture.Negotiated();
        _fixture.Server.EmitWatchdog(QmpWatchdogAction.None);
        _fixture.Server.EmitWatchdog(QmpWatchdogAction.Pause);
        _fixture.Server.EmitWatchdog(QmpWatchdogAction.Debug);
        _fixture.Server.EmitBlockIoError(Error("a", QmpBlockErrorAction.Report));
        _fixture.Server.EmitBlockIoError(Error("b", QmpBlockErrorAction.Report));
        _fixture.Server.EmitBlockIoError(Error("b", QmpBlockErrorAction.Stop));
        _fixture.Server.EmitBlockIoError(Error("b", QmpBlockErrorAction.Ignore));
        Assert.Equal("none", Action(client));
        Assert.Equal("report", Action(client));
        Assert.Equal("report", Action(client));
        Assert.Equal("stop", Action(client));

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["debug", "ignore"], new[] { Action(client), Action(client) }.Order());

        // The interval of a delayed event counts too; after a quiet one the next goes out at once.
        _fixture.Server.EmitWatchdog(QmpWatchdogAction.Reset);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("reset", Action(client));
        _time.Advance(TimeSpan.FromSeconds(1));
        _fixture.Server.EmitWatchdog(QmpWatchdogAction.PowerOff);
        Assert.Equal("poweroff", Action(client));
    }

    [Fact]
    public void HeldBackEvent_IsWrittenWhenItGoesOut_WithItsOwnTime()
    {
        using RawClient client = _fixture.Negotiated();
        _fixture.Server.EmitCheckpoint(new QmpCheckpointEvent(1, Cause: null, 2, 3, 4));
        Assert.False(client.Read().GetProperty("data").TryGetProperty("cause", out _));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (ulong epoch = 2; epoch < 1000; epoch++)
            _fixture.Server.EmitCheckpoint(new QmpCheckpointEvent(epoch, QmpCheckpointCause.Timer, 2, 3, 4));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1024);
        _time.Advance(TimeSpan.FromSeconds(1));
        JsonElement last = client.Read();
        Assert.Equal("""{"epoch":999,"cause":"timer","dirty-pages":2,"bytes":3,"pause-ns":4}""", last.GetProperty("data").GetRawText());
        Assert.Equal("""{"seconds":1893553445,"microseconds":0}""", last.GetProperty("timestamp").GetRawText());
    }

    [Fact]
    public void EventWithoutListeners_AllocatesNothing()
    {
        using RawClient negotiating = _fixture.Connect();
        negotiating.ReadLine();
        Emit();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
            Emit();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Emit()
        {
            _fixture.Server.EmitStop();
            _fixture.Server.EmitResume();
            _fixture.Server.EmitMigrationPass(1);
            _fixture.Server.EmitCheckpoint(new QmpCheckpointEvent(1, QmpCheckpointCause.Timer, 2, 3, 4));
            _fixture.Server.EmitWatchdog(QmpWatchdogAction.None);
        }
    }

    private static QmpBlockIoErrorEvent Error(string path, QmpBlockErrorAction action) =>
        new(path, path, NodeName: null, QmpIoOperation.Read, action, NoSpace: null, "bad");

    private static string Action(RawClient client) => client.Read().GetProperty("data").GetProperty("action").GetString()!;
}
