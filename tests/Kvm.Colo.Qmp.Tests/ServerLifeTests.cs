namespace Kvm.Colo.Qmp.Tests;

/// <summary>How a server ends, and what outlives it: nothing.</summary>
public sealed class ServerLifeTests
{
    [Fact]
    public void Quit_AnswersBeforeTheServerEnds()
    {
        using var fixture = new ServerFixture();
        using RawClient client = fixture.Negotiated();
        client.Send("""{"execute":"quit","id":1}""");
        Assert.Contains("host-qmp-quit", client.ReadLine(), StringComparison.Ordinal);
        fixture.Server.Dispose();
        Assert.Equal("""{"return":{},"id":1}""", client.ReadLine());
        Assert.Null(client.TryReadLine());
    }

    [Fact]
    public void Dispose_JoinsEveryThread_AlsoOfABlockedCommand()
    {
        using var fixture = new ServerFixture(new QmpServerOptions { FlushDeadline = TimeSpan.FromMilliseconds(20) });
        using var gate = new ManualResetEventSlim();
        fixture.Host.ResetGate = gate;
        using RawClient idle = fixture.Negotiated();
        using RawClient blocked = fixture.Negotiated();
        blocked.Send("""{"execute":"system_reset"}{"execute":"query-name"}""");
        Assert.True(fixture.Host.ResetStarted.Wait(TimeSpan.FromSeconds(20)));

        fixture.Server.Dispose();
        Assert.Equal(0, fixture.Server.MonitorCount);
        gate.Set();
        fixture.Server.EmitStop();
    }

    [Fact]
    public void CommandForAnEndedControlLoop_IsAnswered()
    {
        using var fixture = new ServerFixture();
        using RawClient client = fixture.Negotiated();
        fixture.Host.Dispose();
        Assert.Equal("""{"error":{"class":"GenericError","desc":"The virtual machine has ended"}}""", client.Ask("""{"execute":"stop"}"""));
        Assert.Equal("""{"return":{"name":"test"}}""", client.Ask("""{"execute":"query-name"}"""));
    }

    [Fact]
    public void HandlerThatFails_IsAnErrorForTheClientAndALineInTheLog()
    {
        var lines = new System.Collections.Concurrent.ConcurrentQueue<string>();
        using var fixture = new ServerFixture(new QmpServerOptions { Log = lines.Enqueue });
        fixture.Host.Objects.Add("/objects/bomb", "bomb", new Hosting.QmpObjectProperty("fuse", "int",
            static () => throw new InvalidOperationException("bang")));
        using RawClient client = fixture.Negotiated();
        Assert.Equal("""{"error":{"class":"GenericError","desc":"qom-get failed: bang"},"id":1}""",
            client.Ask("""{"execute":"qom-get","arguments":{"path":"/objects/bomb","property":"fuse"},"id":1}"""));
        Assert.Contains(lines, line => line.Contains("InvalidOperationException", StringComparison.Ordinal));
        Assert.Equal("""{"return":{"name":"test"}}""", client.Ask("""{"execute":"query-name"}"""));
    }

    [Fact]
    public void ManyMonitorsComeAndGo_WhileEventsFlow()
    {
        // Time stands still: the steady one, which reads only in the end, would be let go on a slow host.
        using var fixture = new ServerFixture(new QmpServerOptions { Time = new ManualTime(), MaxMonitors = 64, MaxQueuedBytes = 64 << 20 });
        using RawClient steady = fixture.Negotiated();
        using var stop = new ManualResetEventSlim();
        int sent = 0;
        var emitter = new Thread(() =>
        {
            while (!stop.IsSet)
            {
                fixture.Server.EmitStop();
                fixture.Server.EmitResume();
                sent += 2;
                stop.Wait(TimeSpan.FromMilliseconds(1));
            }
        })
        { Name = "emitter" };
        emitter.Start();
        for (int i = 0; i < 100; i++)
        {
            using RawClient visitor = fixture.Negotiated();
            visitor.Send("""{"execute":"query-status"}""");
            while (!visitor.ReadLine().Contains("return", StringComparison.Ordinal))
            {
            }
        }
        stop.Set();
        emitter.Join();

        steady.Send("""{"execute":"query-name","id":"end"}""");
        int received = 0;
        while (!steady.ReadLine().Contains("end", StringComparison.Ordinal))
            received++;
        Assert.Equal(sent, received);
    }
}
