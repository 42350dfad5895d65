using System.Buffers;
using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Text.Json;
using Kvm.Colo.Qmp.Json;

namespace Kvm.Colo.Qmp.Client;

/// <summary>
/// A QMP client for the command line and for tests: any thread may execute, one thread reads replies and events. Works with
/// QEMU's monitors as well.
/// </summary>
internal sealed class QmpClient : IDisposable
{
    private readonly QmpClientOptions _options;
    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly Lock _writeLock = new();
    private readonly object _lock = new();
    private readonly Dictionary<long, JsonElement?> _replies = [];
    private readonly Queue<QmpClientEvent> _events = new();
    private readonly Thread _reader;
    private JsonElement? _greeting;
    private string? _broken;
    private long _nextId;

    private QmpClient(Socket socket, Stream stream, QmpClientOptions options)
    {
        _socket = socket;
        _stream = stream;
        _options = options;
        _reader = new Thread(Read, maxStackSize: 256 * 1024) { Name = "qmp-client", IsBackground = true };
        _reader.Start();
    }

    /// <summary>The <c>QMP</c> object of the greeting.</summary>
    public JsonElement Greeting { get; private set; }

    /// <summary>Events thrown away because nobody took them.</summary>
    public long LostEvents { get; private set; }

    /// <summary>Connects, reads the greeting and leaves negotiation.</summary>
    /// <exception cref="QmpConnectionException">Nobody listens there, or it is not a monitor.</exception>
    public static QmpClient Connect(QmpAddress address, QmpClientOptions? options = null)
    {
        options ??= new QmpClientOptions();
        if (address.TlsFolder is not null && options.Tls is null)
            options = options with { Tls = QmpTlsFiles.LoadClient(address) };
        Socket socket = address.Path is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        QmpClient? client = null;
        try
        {
            Task connecting = address.Path is null
                ? socket.ConnectAsync(address.Host!, address.Port)
                : socket.ConnectAsync(new UnixDomainSocketEndPoint(address.Path));
            if (!connecting.Wait(options.Deadline))
                throw new QmpConnectionException($"{address}: no connection within {options.Deadline.TotalSeconds} s");
            client = new QmpClient(socket, OpenStream(socket, options), options);
            client.Negotiate();
            return client;
        }
        catch (Exception failure)
        {
            client?.Dispose();
            socket.Dispose();
            Exception cause = failure is AggregateException { InnerException: { } inner } ? inner : failure;
            if (cause is QmpConnectionException)
                throw cause;
            throw new QmpConnectionException($"{address}: {cause.Message}", cause);
        }
    }

    /// <summary>Runs a command and returns the value of <c>return</c>.</summary>
    /// <param name="command">Its name.</param>
    /// <param name="arguments">A JSON object, or null for none.</param>
    /// <param name="deadline">Null for the one of the options.</param>
    /// <param name="outOfBand">With <c>exec-oob</c>.</param>
    /// <exception cref="QmpCommandException">The server refused.</exception>
    /// <exception cref="TimeoutException">No reply within the deadline.</exception>
    /// <exception cref="QmpConnectionException">The connection has ended.</exception>
    public JsonElement Execute(string command, string? arguments = null, TimeSpan? deadline = null, bool outOfBand = false)
    {
        long id = Interlocked.Increment(ref _nextId);
        lock (_lock)
            _replies.Add(id, null);
        try
        {
            Send(command, arguments, outOfBand, id);
            return Unwrap(Await(id, deadline ?? _options.Deadline, command));
        }
        finally
        {
            lock (_lock)
                _replies.Remove(id);
        }
    }

    /// <summary>Takes the next event, waiting for it until the deadline.</summary>
    /// <returns>False when none came.</returns>
    /// <exception cref="QmpConnectionException">The connection has ended and no event is left.</exception>
    public bool TryTakeEvent(TimeSpan deadline, out QmpClientEvent item)
    {
        long start = Stopwatch.GetTimestamp();
        lock (_lock)
        {
            while (!_events.TryDequeue(out item!))
            {
                if (_broken is not null)
                    throw new QmpConnectionException(_broken);
                TimeSpan left = deadline - Stopwatch.GetElapsedTime(start);
                if (left <= TimeSpan.Zero || !Monitor.Wait(_lock, left))
                    return _events.TryDequeue(out item!);
            }
            return true;
        }
    }

    /// <summary>Takes events until one has this name.</summary>
    /// <exception cref="TimeoutException">It did not come within the deadline.</exception>
    public QmpClientEvent WaitForEvent(string name, TimeSpan? deadline = null)
    {
        TimeSpan limit = deadline ?? _options.Deadline;
        long start = Stopwatch.GetTimestamp();
        while (limit - Stopwatch.GetElapsedTime(start) is var left && left > TimeSpan.Zero)
        {
            if (TryTakeEvent(left, out QmpClientEvent item) && item.Name == name)
                return item;
        }
        throw new TimeoutException($"no {name} within {limit.TotalSeconds} s");
    }

    public void Dispose()
    {
        Break("closed");
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            Break(failure.Message);
        }
        _socket.Dispose();
        _reader.Join();
        _stream.Dispose();
    }

    private static Stream OpenStream(Socket socket, QmpClientOptions options)
    {
        var plain = new NetworkStream(socket, ownsSocket: false) { WriteTimeout = (int)options.Deadline.TotalMilliseconds };
        if (options.Tls is null)
            return plain;
        var secure = new SslStream(plain);
        using var deadline = new CancellationTokenSource(options.Deadline);
        try
        {
            secure.AuthenticateAsClientAsync(options.Tls, deadline.Token).GetAwaiter().GetResult();
            return secure;
        }
        catch
        {
            secure.Dispose();
            throw;
        }
    }

    private static JsonElement Unwrap(JsonElement reply)
    {
        if (reply.TryGetProperty("return", out JsonElement result))
            return result;
        if (!reply.TryGetProperty("error", out JsonElement error) || error.ValueKind != JsonValueKind.Object
            || !error.TryGetProperty("class", out JsonElement name) || !error.TryGetProperty("desc", out JsonElement text))
        {
            throw new QmpConnectionException("a reply has neither return nor error");
        }
        throw new QmpCommandException(QmpErrors.ClassOf(name.GetString()), text.GetString() ?? "");
    }

    private void Negotiate()
    {
        long start = Stopwatch.GetTimestamp();
        lock (_lock)
        {
            while (_greeting is null)
            {
                TimeSpan left = _options.Deadline - Stopwatch.GetElapsedTime(start);
                if (_broken is not null || left <= TimeSpan.Zero || !Monitor.Wait(_lock, left))
                    throw new QmpConnectionException(_broken ?? "no greeting came: another client may hold the monitor");
            }
            Greeting = _greeting.Value;
        }
        bool offered = Greeting.TryGetProperty("capabilities", out JsonElement capabilities)
            && capabilities.EnumerateArray().Any(capability => capability.ValueEquals("oob"));
        Execute("qmp_capabilities", _options.OutOfBand && offered ? """{"enable":["oob"]}""" : null);
    }

    private void Send(string command, string? arguments, bool outOfBand, long id)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, QmpText.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteString(outOfBand ? "exec-oob"u8 : "execute"u8, command);
            if (arguments is not null)
            {
                writer.WritePropertyName("arguments"u8);
                writer.WriteRawValue(arguments);
            }
            writer.WriteNumber("id"u8, id);
            writer.WriteEndObject();
        }
        try
        {
            lock (_writeLock)
                _stream.Write(QmpText.ToLine(buffer.WrittenSpan));
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
            throw new QmpConnectionException(failure.Message, failure);
        }
    }

    private JsonElement Await(long id, TimeSpan deadline, string command)
    {
        long start = Stopwatch.GetTimestamp();
        lock (_lock)
        {
            while (true)
            {
                if (_replies[id] is { } reply)
                    return reply;
                if (_broken is not null)
                    throw new QmpConnectionException(_broken);
                TimeSpan left = deadline - Stopwatch.GetElapsedTime(start);
                if (left <= TimeSpan.Zero)
                    throw new TimeoutException($"{command}: no reply within {deadline.TotalSeconds} s");
                Monitor.Wait(_lock, left);
            }
        }
    }

    private void Read()
    {
        byte[] buffer = new byte[16 * 1024];
        int used = 0;
        try
        {
            while (_stream.Read(buffer, used, buffer.Length - used) is > 0 and int count)
            {
                int scanned = used;
                used += count;
                int start = 0;
                while (buffer.AsSpan(Math.Max(start, scanned)..used).IndexOf((byte)'\n') is >= 0 and int found)
                {
                    int end = Math.Max(start, scanned) + found;
                    Accept(buffer.AsMemory(start..end));
                    start = end + 1;
                }
                buffer.AsSpan(start..used).CopyTo(buffer);
                used -= start;
                if (used == buffer.Length && used >= _options.MaxLineBytes)
                    throw new QmpConnectionException("a line is too long");
                if (used == buffer.Length)
                    Array.Resize(ref buffer, buffer.Length * 2);
            }
            Break("the server closed the connection");
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or JsonException
            or InvalidOperationException)
        {
            Break(failure.Message);
        }
    }

    private void Accept(ReadOnlyMemory<byte> line)
    {
        using JsonDocument document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 2048 });
        JsonElement message = document.RootElement.Clone();
        lock (_lock)
        {
            if (message.TryGetProperty("event", out JsonElement name))
                AddEvent(name, message);
            else if (message.TryGetProperty("QMP", out JsonElement greeting))
                _greeting = greeting;
            else if (message.TryGetProperty("id", out JsonElement id) && id.TryGetInt64(out long number)
                && _replies.ContainsKey(number))
                _replies[number] = message;
            Monitor.PulseAll(_lock);
        }
    }

    private void AddEvent(JsonElement name, JsonElement message)
    {
        message.TryGetProperty("data", out JsonElement data);
        DateTimeOffset time = DateTimeOffset.UnixEpoch;
        if (message.TryGetProperty("timestamp", out JsonElement stamp))
        {
            time = time.AddSeconds(stamp.GetProperty("seconds").GetInt64())
                .AddMicroseconds(stamp.GetProperty("microseconds").GetInt64());
        }
        if (_events.Count >= _options.MaxEvents)
        {
            _events.Dequeue();
            LostEvents++;
        }
        _events.Enqueue(new QmpClientEvent(name.GetString() ?? "", data, time, message));
    }

    private void Break(string reason)
    {
        lock (_lock)
        {
            _broken ??= reason;
            Monitor.PulseAll(_lock);
        }
    }
}
