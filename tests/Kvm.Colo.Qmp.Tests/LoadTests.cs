namespace Kvm.Colo.Qmp.Tests;

/// <summary>Clients that misbehave: memory stays bounded and the others do not notice.</summary>
public sealed class LoadTests
{
    [Fact]
    public void HundredMegabytesWithoutNewline_CostOneErrorAndLittleMemory()
    {
        using var fixture = new ServerFixture();
        using RawClient client = fixture.Negotiated();
        using RawClient other = fixture.Negotiated();
        byte[] chunk = new byte[1 << 20];
        chunk.AsSpan().Fill((byte)'x');
        long before = GC.GetTotalMemory(forceFullCollection: true);

        client.Send("\"");
        for (int i = 0; i < 100; i++)
            client.Send(chunk);
        Assert.Equal("""{"error":{"class":"GenericError","desc":"JSON token size limit exceeded"}}""", client.ReadLine());
        Assert.Equal("""{"return":{"name":"test"}}""", other.Ask("""{"execute":"query-name"}"""));
        client.Send("\n");
        Assert.Equal("""{"return":{"name":"test"}}""", client.Ask("""{"execute":"query-name"}"""));
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 16 << 20);
    }

    [Fact]
    public void TooManyTokens_CostOneError()
    {
        using var fixture = new ServerFixture();
        using RawClient client = fixture.Negotiated();
        client.Send("[" + string.Concat(Enumerable.Repeat("1,", 200_000)) + "1]\n");
        Assert.Equal("""{"error":{"class":"GenericError","desc":"JSON token count limit exceeded"}}""", client.ReadLine());
        Assert.Equal("""{"return":{"name":"test"}}""", client.Ask("""{"execute":"query-name"}"""));
    }

    [Fact]
    public void ClientThatNeverReads_LosesEventsThenTheConnection_AndNobodyWaits()
    {
        var time = new ManualTime();
        var gone = new SemaphoreSlim(0);
        using var fixture = new ServerFixture(new QmpServerOptions
        {
            Time = time,
            MaxQueuedBytes = 64 * 1024,
            Log = line =>
            {
                if (line.Contains("takes nothing", StringComparison.Ordinal))
                    gone.Release();
            },
        });
        using RawClient deaf = fixture.Negotiated();
        using RawClient other = fixture.Negotiated();

        // Far more than the socket and the queue hold; each call returns at once, for the test would hang otherwise.
        for (int i = 0; i < 20_000; i++)
        {
            fixture.Server.EmitStop();
            Assert.Contains("STOP", other.ReadLine(), StringComparison.Ordinal);
        }
        Assert.Equal(2, fixture.Server.MonitorCount);

        time.Advance(TimeSpan.FromSeconds(11));
        Assert.True(gone.Wait(TimeSpan.FromSeconds(20)));
        Assert.Equal("""{"return":{"name":"test"}}""", other.Ask("""{"execute":"query-name"}"""));
        while (deaf.TryReadLine() is not null)
        {
        }
    }

    [Fact]
    public void ClientThatReadsLate_IsToldHowManyEventsItMissed()
    {
        // Time stands still: a client that has taken nothing for too long would be let go.
        using var fixture = new ServerFixture(new QmpServerOptions { Time = new ManualTime(), MaxQueuedBytes = 64 * 1024 });
        using RawClient late = fixture.Negotiated();
        using RawClient other = fixture.Negotiated();
        const int Sent = 20_000;
        for (int i = 0; i < Sent; i++)
        {
            fixture.Server.EmitStop();
            other.ReadLine();
        }

        // Drain what is there: a command's reply stands behind every event that was queued.
        late.Send("""{"execute":"query-name","id":"end"}""");
        int received = 0;
        while (late.ReadLine() is var line && !line.Contains("end", StringComparison.Ordinal))
            received++;
        fixture.Server.EmitResume();
        System.Text.Json.JsonElement lost = late.Read();
        Assert.Equal("__org.colo-vm_EVENTS_LOST", lost.GetProperty("event").GetString());
        Assert.Equal(Sent - received, lost.GetProperty("data").GetProperty("count").GetInt32());
        Assert.Equal("RESUME", late.Read().GetProperty("event").GetString());
    }

    [Fact]
    public void ClientThatAsksAndNeverReads_IsHeldBack()
    {
        using var fixture = new ServerFixture(new QmpServerOptions { MaxQueuedBytes = 64 * 1024 });
        using RawClient greedy = fixture.Negotiated();
        greedy.Socket.Blocking = false;
        byte[] request = """{"execute":"query-qmp-schema"}"""u8.ToArray();
        int sent = 0;
        for (int i = 0; i < 100_000; i++)
        {
            greedy.Socket.Send(request, System.Net.Sockets.SocketFlags.None, out System.Net.Sockets.SocketError error);
            if (error == System.Net.Sockets.SocketError.WouldBlock)
                break;
            sent++;
        }
        Assert.InRange(sent, 1, 99_999);
        using RawClient other = fixture.Negotiated();
        Assert.Equal("""{"return":{"name":"test"}}""", other.Ask("""{"execute":"query-name"}"""));
    }

    [Fact]
    public void OneMonitorTooMany_IsClosedWithoutAGreeting()
    {
        using var fixture = new ServerFixture(new QmpServerOptions { MaxMonitors = 2 });
        using RawClient first = fixture.Negotiated();
        using RawClient second = fixture.Negotiated();
        using RawClient third = fixture.Connect();
        Assert.Null(third.TryReadLine());
        Assert.Equal("""{"return":{"name":"test"}}""", second.Ask("""{"execute":"query-name"}"""));
    }
}
