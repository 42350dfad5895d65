using System.Text;

namespace Kvm.Colo.Qmp.Tests;

/// <summary>The protocol by hand: qemu's own qmp-test, and the transcript of a stock binary given the same bytes.</summary>
public sealed class ProtocolTests : IDisposable
{
    private readonly ServerFixture _fixture = new(new QmpServerOptions { MaxMonitors = 64 });

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void Greeting_TellsVersionAndOutOfBand()
    {
        using RawClient client = _fixture.Connect();
        Assert.Equal("""{"QMP":{"version":{"qemu":{"major":10,"minor":2,"micro":0},"package":"colo-vm"},"capabilities":["oob"]}}""",
            client.ReadLine());
    }

    [Fact]
    public void Negotiation_ComesFirstAndOnce()
    {
        using RawClient client = _fixture.Connect();
        client.ReadLine();

        string[] said =
        [
            client.Ask("""{"execute":"query-status"}"""),
            client.Ask("""{"execute":"nonsense"}"""),
            client.Ask("""{"execute":"qmp_capabilities","arguments":{"enable":["bogus"]}}"""),
            client.Ask("""{"execute":"qmp_capabilities","arguments":{"enable":1}}"""),
            client.Ask("""{"execute":"qmp_capabilities","arguments":{"enable":["oob"]},"id":1}"""),
            client.Ask("""{"execute":"qmp_capabilities"}"""),
        ];

        Assert.Equal(
        [
            """{"error":{"class":"CommandNotFound","desc":"Expecting capabilities negotiation with 'qmp_capabilities'"}}""",
            """{"error":{"class":"CommandNotFound","desc":"Expecting capabilities negotiation with 'qmp_capabilities'"}}""",
            """{"error":{"class":"GenericError","desc":"Parameter 'null' does not accept value 'bogus'"}}""",
            """{"error":{"class":"GenericError","desc":"Invalid parameter type for 'enable', expected: array"}}""",
            """{"return":{},"id":1}""",
            """{"error":{"class":"CommandNotFound","desc":"Capabilities negotiation is already complete, command ignored"}}""",
        ], said);
    }

    [Theory]
    [InlineData("\u0001", "stray '\u0001'")]
    [InlineData("}", "expecting value")]
    [InlineData("""{"execute":}""", "expecting value")]
    [InlineData("""{"execute":"x",}""", "expecting value")]
    [InlineData("""{"execute" "x"}""", "missing : in object pair")]
    [InlineData("""{"execute":"x" "y"}""", "expected separator in dict")]
    [InlineData("[1 2]", "expected separator in list")]
    [InlineData("{1:2}", "key is not a string in object")]
    [InlineData("[,]", "expecting value")]
    [InlineData("[}", "expecting value")]
    [InlineData("nul ", "invalid keyword 'nul'")]
    [InlineData("%d ", "stray '%'")]
    [InlineData("""{"execute":"\q"}""", "invalid escape sequence in string")]
    [InlineData("""{"execute":"x","execute":"y"}""", "duplicate key")]
    [InlineData("""{"execute":"x","id":"\ud800"}""", "\\ud800 is not a valid Unicode character")]
    [InlineData("""{"execute":"x","id":"\u12"}""", "\\u12 is not a valid Unicode character")]
    public void BrokenJson_IsToldOnceAndTheNextRequestWorks(string text, string error)
    {
        using RawClient client = _fixture.Negotiated();
        client.Send(text);
        Assert.Equal("JSON parse error, " + error, client.Read().GetProperty("error").GetProperty("desc").GetString());
        Assert.Equal("""{"return":{"running":true,"status":"running"}}""", client.Ask("""{"execute":"query-status"}"""));
    }

    [Fact]
    public void Byte0xFF_ResetsTheParserAnywhere()
    {
        byte[] request = Encoding.ASCII.GetBytes("""{"execute":"query-name","id":["x",{"y":-1.5e3}]}""");
        using RawClient client = _fixture.Negotiated();
        for (int cut = 0; cut < request.Length; cut++)
        {
            client.Send(request.AsSpan(0, cut));
            client.Send([0xFF]);
            Assert.StartsWith("""{"error":{"class":"GenericError","desc":"JSON parse error, stray '""", client.ReadLine(), StringComparison.Ordinal);
            Assert.Equal("""{"return":{"name":"test"},"id":7}""", client.Ask("""{"execute":"query-name","id":7}"""));
        }
    }

    [Theory]
    [InlineData("[1,2]", "QMP input must be a JSON object")]
    [InlineData("1 ", "QMP input must be a JSON object")]
    [InlineData("\"a\"", "QMP input must be a JSON object")]
    [InlineData("{}", "QMP input lacks member 'execute'")]
    [InlineData("""{"execute":1}""", "QMP input member 'execute' must be a string")]
    [InlineData("""{"execute":"query-status","foo":1}""", "QMP input member 'foo' is unexpected")]
    [InlineData("""{"exec-oob":"query-yank"}""", "QMP input member 'exec-oob' is unexpected")]
    [InlineData("""{"execute":"query-status","arguments":1}""", "QMP input member 'arguments' must be an object")]
    [InlineData("""{"execute":"query-status","arguments":{"x":1}}""", "Parameter 'x' is unexpected")]
    [InlineData("""{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"multifd"}]}}""",
        "Parameter 'capabilities[0].state' is missing")]
    [InlineData("""{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"multifd","state":1}]}}""",
        "Invalid parameter type for 'capabilities[0].state', expected: boolean")]
    [InlineData("""{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"foo","state":true}]}}""",
        "Parameter 'capability' does not accept value 'foo'")]
    [InlineData("""{"execute":"migrate-set-capabilities","arguments":{"capabilities":{}}}""",
        "Invalid parameter type for 'capabilities', expected: array")]
    [InlineData("""{"execute":"migrate-set-capabilities"}""", "Parameter 'capabilities' is missing")]
    public void InvalidRequest_IsRefusedBeforeAnythingHappens(string request, string error)
    {
        using RawClient client = _fixture.Negotiated();
        Assert.Equal($$$"""{"error":{"class":"GenericError","desc":"{{{error}}}"}}""", client.Ask(request));
    }

    [Fact]
    public void UnknownCommand_IsNotFound()
    {
        using RawClient client = _fixture.Negotiated();
        Assert.Equal("""{"error":{"class":"CommandNotFound","desc":"The command nosuch has not been found"},"id":{"a":[1,2.50]}}""",
            client.Ask("""{"execute":"nosuch","id":{"a":[1, 2.50]}}"""));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("true")]
    [InlineData("-0")]
    [InlineData("1e400")]
    [InlineData("12345678901234567890123")]
    [InlineData("\"5\"")]
    [InlineData("\"\\u00e9\\ud83d\\ude00\"")]
    [InlineData("[[],{},{\"a\":[null,\"\\\"\"]}]")]
    public void Id_IsEchoedAsSent(string id)
    {
        using RawClient client = _fixture.Negotiated();
        Assert.Equal($$"""{"return":{"name":"test"},"id":{{id}}}""", client.Ask($$"""{"execute":"query-name","id":{{id}}}"""));
        Assert.EndsWith($",\"id\":{id}}}", client.Ask($$"""{"id":{{id}},"execute":"nosuch"}"""), StringComparison.Ordinal);
    }

    [Fact]
    public void Output_IsAsciiWhateverTheInput()
    {
        using RawClient client = _fixture.Negotiated();
        Assert.EndsWith(",\"id\":\"\\u00E9\\u20AC\\uD83D\\uDE00\"}", client.Ask("""{"execute":"nosuch€","id":"é€😀"}"""), StringComparison.Ordinal);
    }

    [Fact]
    public void Input_MayBePrettyPrintedSingleQuotedAndByteByByte()
    {
        using RawClient client = _fixture.Negotiated();
        foreach (byte value in "\r\n\t { 'execute' :\n  'query-name' ,\r\n 'id' : 'a\\'b\"c' }\r\n"u8.ToArray())
            client.Send([value]);
        Assert.Equal("""{"return":{"name":"test"},"id":"a'b\"c"}""", client.ReadLine());
    }

    [Fact]
    public void Requests_AreAnsweredInOrder()
    {
        using RawClient client = _fixture.Negotiated();
        for (int i = 0; i < 500; i++)
            client.Send($$"""{"execute":"{{(i % 3 == 0 ? "migrate_cancel" : "query-name")}}","id":{{i}}}""");
        for (int i = 0; i < 500; i++)
            Assert.Equal(i, client.Read().GetProperty("id").GetInt32());
    }

    [Fact]
    public void Nesting_IsLimitedTo1024()
    {
        using RawClient client = _fixture.Negotiated();
        string deep = new string('[', 1023) + new string(']', 1023);
        Assert.EndsWith($"\"id\":{deep}}}", client.Ask($$"""{"execute":"query-name","id":{{deep}}}"""), StringComparison.Ordinal);

        client.Send(new string('[', 10_000) + new string(']', 10_000) + "\n");
        Assert.Equal("""{"error":{"class":"GenericError","desc":"JSON nesting depth limit exceeded"}}""", client.ReadLine());
        Assert.Equal("""{"return":{"name":"test"}}""", client.Ask("""{"execute":"query-name"}"""));
    }

    [Fact]
    public void EventComesBeforeTheReplyOfItsCause()
    {
        using RawClient client = _fixture.Negotiated();
        (string Command, string Event)[] pairs =
        [
            ("stop", "STOP"), ("cont", "RESUME"), ("system_reset", "RESET"), ("system_powerdown", "POWERDOWN"),
                ("quit", "SHUTDOWN"),
        ];
        foreach ((string command, string name) in pairs)
        {
            client.Send($$"""{"execute":"{{command}}","id":"{{command}}"}""");
            System.Text.Json.JsonElement line = client.Read();
            Assert.Equal(name, line.GetProperty("event").GetString());
            Assert.InRange(line.GetProperty("timestamp").GetProperty("microseconds").GetInt32(), 0, 999_999);
            Assert.Equal($$"""{"return":{},"id":"{{command}}"}""", client.ReadLine());
        }
    }

    [Fact]
    public void Disconnect_AtEveryByteOfARequest_LeavesTheServerWorking()
    {
        byte[] request = Encoding.ASCII.GetBytes("""{"execute":"migrate_cancel","id":"x"}""");
        for (int cut = 0; cut <= request.Length; cut++)
        {
            using RawClient broken = _fixture.Negotiated();
            broken.Send(request.AsSpan(0, cut));
            broken.Socket.LingerState = new System.Net.Sockets.LingerOption(enable: true, seconds: 0);
        }
        using RawClient client = _fixture.Negotiated();
        Assert.Equal("""{"return":{"name":"test"}}""", client.Ask("""{"execute":"query-name"}"""));
    }

    [Fact]
    public void ClosingOnesOwnSide_StillGetsTheAnswers()
    {
        using RawClient client = _fixture.Negotiated();
        client.Send("""{"execute":"stop"}{"execute":"query-status"}""");
        client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        Assert.Contains("STOP", client.ReadLine(), StringComparison.Ordinal);
        Assert.Equal("""{"return":{}}""", client.ReadLine());
        Assert.Equal("""{"return":{"running":false,"status":"paused"}}""", client.ReadLine());
        Assert.Null(client.TryReadLine());
    }
}
