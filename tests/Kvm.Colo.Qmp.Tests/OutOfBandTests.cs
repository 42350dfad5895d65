using System.Text.Json;
using Kvm.Colo.Qmp.Hosting;

namespace Kvm.Colo.Qmp.Tests;

/// <summary>Out-of-band execution against a command that blocks the control loop.</summary>
public sealed class OutOfBandTests : IDisposable
{
    private readonly ServerFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void OutOfBandCommand_OvertakesABlockedOne()
    {
        using RawClient client = _fixture.Negotiated(outOfBand: true);
        using var gate = new ManualResetEventSlim();
        Block(client, gate);

        client.Send("""{"execute":"query-name","id":"queued"}""");
        client.Send("""{"execute":"nonsense","bad":1,"id":"malformed"}""");
        client.Send("""{"exec-oob":"query-yank","id":"oob"}""");
        Assert.Equal("""{"return":[{"type":"migration"}],"id":"oob"}""", client.ReadLine());
        Assert.Equal("""{"return":{},"id":"yank"}""",
            client.Ask("""{"exec-oob":"yank","arguments":{"instances":[{"type":"migration"}]},"id":"yank"}"""));

        gate.Set();
        Assert.Contains("RESET", client.ReadLine(), StringComparison.Ordinal);
        Assert.Equal("""{"return":{},"id":"blocked"}""", client.ReadLine());
        Assert.Equal("""{"return":{"name":"test"},"id":"queued"}""", client.ReadLine());
        Assert.Equal("malformed", client.Read().GetProperty("id").GetString());
        Assert.Equal("yank Migration", Assert.Single(_fixture.Host.Calls));
    }

    [Fact]
    public void OutOfBandRequest_ThatIsRefused_IsAnsweredAtOnceToo()
    {
        using RawClient client = _fixture.Negotiated(outOfBand: true);
        using var gate = new ManualResetEventSlim();
        Block(client, gate);

        string[] said =
        [
            client.Ask("""{"exec-oob":"query-status","id":1}"""),
            client.Ask("""{"exec-oob":"nosuch","id":2}"""),
            client.Ask("""{"exec-oob":"migrate-pause","id":3}"""),
            client.Ask("""{"exec-oob":"migrate-recover","arguments":{"uri":"tcp:a:1"},"id":4}"""),
            client.Ask("""{"exec-oob":"migrate-recover","id":5}"""),
            client.Ask("""{"exec-oob":"yank","arguments":{"instances":[{"type":"chardev","id":"x"}]},"id":6}"""),
            client.Ask("""{"exec-oob":1,"id":7}"""),
        ];
        gate.Set();

        Assert.Equal(
        [
            """{"error":{"class":"GenericError","desc":"The command query-status does not support OOB"},"id":1}""",
            """{"error":{"class":"CommandNotFound","desc":"The command nosuch has not been found"},"id":2}""",
            """{"error":{"class":"GenericError","desc":"migrate-pause is currently only supported during postcopy-active state"},"id":3}""",
            """{"error":{"class":"GenericError","desc":"Migrate recover can only be run when postcopy is paused."},"id":4}""",
            """{"error":{"class":"GenericError","desc":"Parameter 'uri' is missing"},"id":5}""",
            """{"error":{"class":"DeviceNotFound","desc":"Instance not found"},"id":6}""",
            """{"error":{"class":"GenericError","desc":"QMP input member 'exec-oob' must be a string"},"id":7}""",
        ], said);
    }

    [Fact]
    public void BothKinds_InOneRequest_Clash()
    {
        using RawClient client = _fixture.Negotiated(outOfBand: true);
        Assert.Equal("""{"error":{"class":"GenericError","desc":"QMP input member 'execute' clashes with 'exec-oob'"}}""",
            client.Ask("""{"execute":"query-yank","exec-oob":"query-yank"}"""));
    }

    [Fact]
    public void EightRequests_WaitBehindABlockedOne()
    {
        using RawClient client = _fixture.Negotiated(outOfBand: true);
        using var gate = new ManualResetEventSlim();
        Block(client, gate);
        for (int i = 0; i < 8; i++)
            client.Send($$"""{"execute":"query-name","id":{{i}}}""");
        Assert.Equal("""{"return":[{"type":"migration"}],"id":"oob"}""", client.Ask("""{"exec-oob":"query-yank","id":"oob"}"""));
        for (int i = 8; i < 100; i++)
            client.Send($$"""{"execute":"query-name","id":{{i}}}""");

        gate.Set();
        Assert.Contains("RESET", client.ReadLine(), StringComparison.Ordinal);
        Assert.Contains("blocked", client.ReadLine(), StringComparison.Ordinal);
        for (int i = 0; i < 100; i++)
            Assert.Equal(i, client.Read().GetProperty("id").GetInt32());
    }

    [Fact]
    public void BlockedCommand_HoldsUpNeitherQueriesOfAnotherMonitorNorItsEvents()
    {
        using RawClient first = _fixture.Negotiated();
        using RawClient second = _fixture.Negotiated();
        using var gate = new ManualResetEventSlim();
        Block(first, gate);

        Assert.Equal("""{"return":{"name":"test"}}""", second.Ask("""{"execute":"query-name"}"""));
        _fixture.Server.EmitResume();
        Assert.Equal("RESUME", second.Read().GetProperty("event").GetString());
        Assert.Equal("RESUME", first.Read().GetProperty("event").GetString());
        gate.Set();
        Assert.Contains("RESET", second.ReadLine(), StringComparison.Ordinal);
    }

    [Fact]
    public void ClientThatLeavesWhileItsCommandBlocks_IsForgotten()
    {
        using var gate = new ManualResetEventSlim();
        using (RawClient client = _fixture.Negotiated())
            Block(client, gate);
        using RawClient other = _fixture.Negotiated();
        gate.Set();
        Assert.Contains("RESET", other.ReadLine(), StringComparison.Ordinal);
        Assert.Equal("""{"return":{}}""", other.Ask("""{"execute":"migrate_cancel"}"""));
    }

    private void Block(RawClient client, ManualResetEventSlim gate)
    {
        _fixture.Host.ResetGate = gate;
        client.Send("""{"execute":"system_reset","id":"blocked"}""");
        Assert.True(_fixture.Host.ResetStarted.Wait(TimeSpan.FromSeconds(20)));
    }
}
