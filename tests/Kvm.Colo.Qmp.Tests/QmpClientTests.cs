using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Kvm.Colo.Qmp.Client;

namespace Kvm.Colo.Qmp.Tests;

/// <summary>The client against the real server, and against peers that are not one.</summary>
public sealed class QmpClientTests : IDisposable
{
    private readonly ServerFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void Execute_ReturnsRefusesAndReportsEvents()
    {
        using QmpClient client = QmpClient.Connect(_fixture.Address);
        Assert.Equal("colo-vm", client.Greeting.GetProperty("version").GetProperty("package").GetString());
        Assert.Equal(3, client.Execute("qom-get", """{"path":"/objects/knob","property":"turns"}""").GetInt64());
        QmpCommandException refusal = Assert.Throws<QmpCommandException>(() => client.Execute("device_del", """{"id":"x"}"""));
        Assert.Equal((QmpErrorClass.DeviceNotFound, "Device 'x' not found"), (refusal.ErrorClass, refusal.Message));
        client.Execute("stop");
        client.Execute("system_reset");
        QmpClientEvent reset = client.WaitForEvent("RESET");
        Assert.False(reset.Data.GetProperty("guest").GetBoolean());
        Assert.True(reset.Time > DateTimeOffset.UnixEpoch.AddYears(50));
        Assert.False(client.TryTakeEvent(TimeSpan.Zero, out _));
        Assert.ThrowsAny<JsonException>(() => client.Execute("stop", "{"));
        Assert.Equal("paused", client.Execute("query-status").GetProperty("status").GetString());
    }

    [Fact]
    public void Execute_FromManyThreads_GivesEachItsOwnReply()
    {
        using QmpClient client = QmpClient.Connect(_fixture.Address, new QmpClientOptions { OutOfBand = true });
        var failures = new List<Exception>();
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(number => new Thread(() =>
        {
            try
            {
                for (int i = 0; i < 200; i++)
                {
                    string property = number % 2 == 0 ? "turns" : "type";
                    JsonElement value = client.Execute("qom-get", $$"""{"path":"/objects/knob","property":"{{property}}"}""");
                    Assert.Equal(number % 2 == 0 ? JsonValueKind.Number : JsonValueKind.String, value.ValueKind);
                    Assert.Equal(1, client.Execute("query-yank", outOfBand: true).GetArrayLength());
                }
            }
            catch (Exception failure)
            {
                lock (failures)
                    failures.Add(failure);
            }
        }) { Name = $"asker-{number}" })];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.Empty(failures);
    }

    [Fact]
    public void Execute_HasADeadline()
    {
        using var gate = new ManualResetEventSlim();
        _fixture.Host.ResetGate = gate;
        using QmpClient client = QmpClient.Connect(_fixture.Address);
        Assert.Throws<TimeoutException>(() => client.Execute("system_reset", deadline: TimeSpan.FromMilliseconds(20)));
        gate.Set();
        Assert.Equal("running", client.Execute("query-status").GetProperty("status").GetString());
    }

    [Fact]
    public void EndOfTheServer_IsTold()
    {
        using QmpClient client = QmpClient.Connect(_fixture.Address);
        _fixture.Server.Dispose();
        Assert.Throws<QmpConnectionException>(() => client.Execute("query-status"));
        Assert.Throws<QmpConnectionException>(() => client.TryTakeEvent(TimeSpan.FromSeconds(20), out _));
    }

    [Fact]
    public void Connect_ExplainsWhoIsNotThere()
    {
        QmpConnectionException missing = Assert.Throws<QmpConnectionException>(
            () => QmpClient.Connect(QmpAddress.Parse($"unix:{_fixture.Folder}/nobody")));
        Assert.Contains("nobody", missing.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SSH-2.0-something\r\n")]
    [InlineData("{}{\r\n")]
    [InlineData("[]\r\n")]
    [InlineData("")]
    public void Connect_RefusesWhatIsNotAMonitor(string greeting)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var peer = new Thread(() =>
        {
            using Socket accepted = listener.Accept();
            accepted.Send(System.Text.Encoding.ASCII.GetBytes(greeting));
            accepted.Shutdown(SocketShutdown.Send);
            accepted.Receive(new byte[64]);
        })
        { Name = "not-a-monitor" };
        peer.Start();
        QmpAddress address = QmpAddress.Parse($"tcp:127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}");
        Assert.Throws<QmpConnectionException>(() =>
            QmpClient.Connect(address, new QmpClientOptions { Deadline = TimeSpan.FromSeconds(20) }));
        peer.Join();
    }
}
