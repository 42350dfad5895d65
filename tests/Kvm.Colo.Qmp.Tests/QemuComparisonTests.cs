using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Kvm.Colo.Qmp.Client;

namespace Kvm.Colo.Qmp.Tests;

/// <summary>The same bytes to a stock QEMU and to us: the same refusals; and our client speaks to QEMU.</summary>
public sealed class QemuComparisonTests : IDisposable
{
    /// <summary>Inputs whose answer does not depend on a machine or on the version of the schema.</summary>
    private static readonly string[] s_inputs =
    [
        "}", "]", ",", ":", "[}", "[,]", "[1 2]", "{1:2}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"execute\":}", "{\"execute\":\"x\",}",
        "[1,2]", "1 ", "-1.5e+3 ", "\"a\"", "null ", "{}", "nul ", "%d ", "\u0001", "\u001f",
        """{"execute":1}""", """{"execute":null}""", """{"execute":"query-status","foo":1}""", """{"exec-oob":1}""",
        """{"execute":"query-status","exec-oob":"query-status"}""", """{"execute":"query-status","arguments":1}""",
        """{"execute":"query-status","arguments":[]}""", """{"execute":"query-status","arguments":{"x":1}}""",
        """{"exec-oob":"query-status","id":"x"}""", """{"exec-oob":"nosuch","id":"x"}""", """{"execute":"nosuch","id":{"a":[1,"\u00e9"]}}""",
        "{'execute':'no\\'such'}", """{"execute":"x","execute":"y"}""", """{"execute":"x","id":"\q"}""", """{"execute":"qmp_capabilities"}""",
        """{"execute":"x","id":"\ud800"}""", """{"execute":"x","id":"\ud800\u0041"}""", """{"execute":"x","id":"\udc00"}""",
        """{"execute":"query-uuid","id":"\ud83d\ude00"}""", "[1,tru]", "{\"a\":nul,,}", "01}", "-}", "1.}", "[01,2]", "\"a\tb\"}",
        """{"execute":"migrate-set-capabilities"}""", """{"execute":"migrate-set-capabilities","arguments":{"capabilities":{}}}""",
        """{"execute":"migrate-set-capabilities","arguments":{"capabilities":[1]}}""",
        """{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{}]}}""",
        """{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":1,"state":true}]}}""",
        """{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"foo","state":true}]}}""",
        """{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"multifd"}]}}""",
        """{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"multifd","state":1}]}}""",
        """{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"multifd","state":true,"x":1}]}}""",
        """{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"postcopy-preempt","state":true}]}}""",
        """{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"zero-copy-send","state":true}]}}""",
        """{"execute":"migrate-set-parameters","arguments":{"downtime-limit":"a"}}""",
        """{"execute":"migrate-set-parameters","arguments":{"multifd-channels":300}}""",
        """{"execute":"migrate-set-parameters","arguments":{"max-bandwidth":1.5}}""",
        """{"execute":"migrate-set-parameters","arguments":{"x-checkpoint-delay":-4}}""",
        """{"execute":"migrate-set-parameters","arguments":{"x-checkpoint-delay":4294967296}}""",
        """{"execute":"migrate-set-parameters","arguments":{"multifd-compression":"foo"}}""",
        """{"execute":"migrate-set-parameters","arguments":{"cpu-throttle-tailslow":0}}""",
        """{"execute":"migrate-set-parameters","arguments":{"tls-creds":7}}""",
        """{"execute":"migrate-continue","arguments":{"state":"device"}}""", """{"execute":"migrate-continue","arguments":{"state":"x"}}""",
        """{"execute":"migrate-start-postcopy"}""", """{"exec-oob":"migrate-pause","id":7}""",
        """{"exec-oob":"migrate-recover","arguments":{"uri":"tcp:a:1"}}""", """{"execute":"migrate-incoming","arguments":{"uri":"tcp:a:1"}}""",
        """{"execute":"migrate","arguments":{"uri":"tcp:127.0.0.1:1","resume":true}}""", """{"execute":"migrate_cancel"}""",
        """{"execute":"xen-set-replication","arguments":{"enable":true,"primary":true,"failover":true}}""",
        """{"execute":"xen-set-replication","arguments":{"enable":true}}""", """{"execute":"query-xen-replication-status"}""",
        """{"exec-oob":"yank","arguments":{"instances":[{"type":"chardev"}]}}""",
        """{"exec-oob":"yank","arguments":{"instances":[{"type":"chardev","id":"s0","node-name":"q"}]}}""",
        """{"exec-oob":"yank","arguments":{"instances":[{"type":"chardev","id":"s0"}]}}""",
        """{"exec-oob":"yank","arguments":{"instances":[{"type":"x","id":"s0"}]}}""",
        """{"exec-oob":"yank","arguments":{"instances":[{}]}}""", """{"exec-oob":"yank","arguments":{"instances":[]}}""",
        """{"execute":"query-uuid","id":"é€😀"}""", """{"execute":"query-colo-status"}""", """{"execute":"set-action","arguments":{"panic":"foo"}}""",
        """{"execute":"object-add","arguments":{"qom-type":"secret"}}""", """{"execute":"object-add","arguments":{"qom-type":"nosuch","id":"x"}}""",
        """{"execute":"object-del","arguments":{"id":"io0"}}""", """{"execute":"device_del","arguments":{"id":"nope"}}""",
        """{"execute":"qom-list","arguments":{"path":"/nope"}}""", """{"execute":"qom-set","arguments":{"path":"/","property":"x"}}""",
        """{"execute":"human-monitor-command","arguments":{"command-line":"info foo"}}""",
        """{"execute":"human-monitor-command","arguments":{"command-line":"info status"}}""",
        """{"execute":"human-monitor-command","arguments":{"command-line":"info status","cpu-index":5}}""",
        """{"execute":"announce-self","arguments":{"initial":50}}""", """{"execute":"stop","id":null}""", """{"execute":"stop"}""",
        """{"execute":"set_link","arguments":{"name":"nope","up":true}}""", """{"execute":"set_link","arguments":{"name":"nope"}}""",
        """{"execute":"query-balloon"}""", """{"execute":"balloon","arguments":{"value":1}}""", """{"execute":"balloon"}""",
        """{"execute":"cont","id":[]}""", """{"execute":"system_powerdown"}""", """{"execute":"system_reset"}""",
    ];

    private readonly ServerFixture _fixture = new();
    private Process? _qemu;

    public void Dispose()
    {
        if (_qemu is { HasExited: false })
            _qemu.Kill();
        _qemu?.Dispose();
        _fixture.Dispose();
    }

    [QemuFact]
    public void TheSameBytes_GetTheSameAnswers()
    {
        _fixture.Host.Balloon = null;
        Process qemu = Start(out RawClient theirs, out _);
        using RawClient ours = _fixture.Negotiated(outOfBand: true);
        var differences = new StringBuilder();
        foreach (string input in s_inputs)
        {
            string expected = Exchange(theirs, input);
            string actual = Exchange(ours, input);
            if (expected != actual)
                differences.Append($"{input}\n  theirs {expected}\n  ours   {actual}\n");
        }
        theirs.Send("""{"execute":"quit"}""");
        while (theirs.TryReadLine() is not null)
        {
        }
        theirs.Dispose();
        Assert.True(qemu.WaitForExit(TimeSpan.FromSeconds(20)));
        Assert.True(differences.Length == 0, differences.ToString());
    }

    [QemuFact]
    public void EveryCommandOfAStockQemu_IsKnownHere()
    {
        // Gone by 10.2, or the balloon's, which is a device that may be added.
        string[] gone = ["x-query-opcount", "x-query-profile", "x-query-rdma", "balloon", "query-balloon", "query-vm-generation-id"];
        Process qemu = Start(out RawClient theirs, out _);
        theirs.Send("""{"execute":"query-commands"}""");
        string[] names = [.. theirs.Read().GetProperty("return").EnumerateArray().Select(each => each.GetProperty("name").GetString()!)];
        theirs.Send("""{"execute":"quit"}""");
        while (theirs.TryReadLine() is not null)
        {
        }
        theirs.Dispose();
        Assert.True(qemu.WaitForExit(TimeSpan.FromSeconds(20)));
        Assert.True(names.Length > 100);
        Assert.All(names.Except(gone), name => Assert.True(Commands.QmpSchemas.Product.Find(name) is not null, name));
    }

    [QemuFact]
    public void OurClient_DrivesAStockQemu()
    {
        Process qemu = Start(out RawClient other, out QmpAddress address);
        using (other)
        using (QmpClient client = QmpClient.Connect(address, new QmpClientOptions { OutOfBand = true }))
        {
            client.Execute("stop");
            client.WaitForEvent("STOP");
            Assert.Equal("paused", client.Execute("query-status").GetProperty("status").GetString());
            Assert.Equal(JsonValueKind.Array, client.Execute("query-yank", outOfBand: true).ValueKind);
            Assert.Throws<QmpCommandException>(() => client.Execute("device_del", """{"id":"nope"}"""));
            Assert.True(client.Execute("query-qmp-schema").GetArrayLength() > 500);
            client.Execute("quit");
        }
        Assert.True(qemu.WaitForExit(TimeSpan.FromSeconds(20)));
    }

    private static string Exchange(RawClient client, string input)
    {
        // The last request is a mark: everything before its answer belongs to the input.
        client.Send(input);
        client.Send([0xFF]);
        client.Send("""{"execute":"query-uuid","id":"mark"}""");
        var said = new StringBuilder();
        while (client.Read() is var line
            && !(line.TryGetProperty("id", out JsonElement id) && id.ValueKind == JsonValueKind.String && id.ValueEquals("mark")))
        {
            using var buffer = new MemoryStream();
            using (var writer = new Utf8JsonWriter(buffer))
                WriteSorted(writer, line);
            said.Append(Encoding.UTF8.GetString(buffer.ToArray())).Append(' ');
        }
        return said.ToString();
    }

    /// <summary>Order of members carries no meaning, and time stamps differ.</summary>
    private static void WriteSorted(Utf8JsonWriter writer, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Object)
        {
            writer.WriteStartObject();
            foreach (JsonProperty property in value.EnumerateObject().OrderBy(property => property.Name, StringComparer.Ordinal))
            {
                if (property.Name == "timestamp")
                    continue;
                writer.WritePropertyName(property.Name);
                WriteSorted(writer, property.Value);
            }
            writer.WriteEndObject();
            return;
        }
        value.WriteTo(writer);
    }

    /// <summary>Starts QEMU with two monitors: one it connects to us, and when that one speaks, the other listens.</summary>
    private Process Start(out RawClient monitor, out QmpAddress address)
    {
        string path = Path.Combine(_fixture.Folder, "qemu");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path + "-calls"));
        listener.Listen(1);
        _qemu = Process.Start(new ProcessStartInfo(QemuFactAttribute.Binary,
            ["-M", "none", "-display", "none", "-qmp", $"unix:{path},server=on,wait=off", "-qmp", $"unix:{path}-calls"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardError = true,
        })!;
        Assert.True(listener.Poll(TimeSpan.FromSeconds(20), SelectMode.SelectRead), "QEMU connects its monitor");
        monitor = new RawClient(listener.Accept()).Negotiate(outOfBand: true);
        address = QmpAddress.Parse($"unix:{path}");
        return _qemu;
    }
}
