using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Kvm.Colo.Qmp.Tests;

/// <summary>Sends bytes and reads lines; every wait has a deadline, and running into one fails the test.</summary>
internal sealed class RawClient : IDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    private readonly NetworkStream _stream;
    private readonly List<byte> _pending = [];
    private readonly byte[] _buffer = new byte[4096];

    public RawClient(QmpAddress address) : this(Connect(address))
    {
    }

    /// <summary>Takes a connection that is there, and owns it.</summary>
    public RawClient(Socket socket)
    {
        Socket = socket;
        _stream = new NetworkStream(socket, ownsSocket: true)
        {
            ReadTimeout = (int)s_deadline.TotalMilliseconds,
            WriteTimeout = (int)s_deadline.TotalMilliseconds,
        };
    }

    public Socket Socket { get; }

    public void Send(string text) => Send(Encoding.UTF8.GetBytes(text));

    public void Send(ReadOnlySpan<byte> bytes) => _stream.Write(bytes);

    /// <summary>The next line without CR LF, null at the end of the stream.</summary>
    public string? TryReadLine()
    {
        int scanned = 0;
        while (true)
        {
            int end = _pending.IndexOf((byte)'\n', scanned);
            if (end >= 0)
            {
                Assert.True(end > 0 && _pending[end - 1] == '\r', "a line ends in CR LF");
                string line = Encoding.ASCII.GetString([.. _pending[..(end - 1)]]);
                Assert.DoesNotContain(_pending[..end], value => value > 0x7F);
                _pending.RemoveRange(0, end + 1);
                return line;
            }
            scanned = _pending.Count;
            int count;
            try
            {
                count = _stream.Read(_buffer);
            }
            catch (IOException failure) when (failure.InnerException is SocketException
            {
                SocketErrorCode: SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown,
            })
            {
                count = 0;
            }
            if (count == 0)
                return null;
            _pending.AddRange(_buffer.AsSpan(0, count));
        }
    }

    public string ReadLine() => TryReadLine() ?? throw new EndOfStreamException("the server closed");

    public JsonElement Read()
    {
        using JsonDocument document = JsonDocument.Parse(ReadLine(), new JsonDocumentOptions { MaxDepth = 2048 });
        return document.RootElement.Clone();
    }

    /// <summary>Sends and reads the next line, with the timestamp of an event cut out.</summary>
    public string Ask(string text)
    {
        Send(text);
        return ReadLine();
    }

    /// <summary>Reads the greeting and leaves negotiation.</summary>
    public RawClient Negotiate(bool outOfBand = false)
    {
        Assert.True(Read().TryGetProperty("QMP", out _), "a greeting comes first");
        string enable = outOfBand ? ""","arguments":{"enable":["oob"]}""" : "";
        Send($$"""{"execute":"qmp_capabilities"{{enable}}}""");
        Assert.True(Read().TryGetProperty("return", out _), "negotiation succeeds");
        return this;
    }

    public void Dispose() => _stream.Dispose();

    private static Socket Connect(QmpAddress address)
    {
        if (address.Path is null)
        {
            var tcp = new Socket(SocketType.Stream, ProtocolType.Tcp);
            tcp.Connect(address.Host!, address.Port);
            return tcp;
        }
        var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        unix.Connect(new UnixDomainSocketEndPoint(address.Path));
        return unix;
    }
}
