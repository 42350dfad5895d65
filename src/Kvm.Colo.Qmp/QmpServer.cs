using System.Buffers;
using System.Net.Sockets;
using System.Text.Json;
using Kvm.Colo.Qmp.Commands;
using Kvm.Colo.Qmp.Hosting;
using Kvm.Colo.Qmp.Json;
using Kvm.Colo.Qmp.Protocol;
using Kvm.Colo.Qmp.Schema;

namespace Kvm.Colo.Qmp;

/// <summary>
/// The control socket: listeners, monitors, commands and events. Every monitor has its own threads; the machine's own threads
/// never wait for a client. Disposing joins every thread, so it must not be done on the control loop while a command runs there.
/// </summary>
internal sealed partial class QmpServer : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<QmpListener> _listeners = [];
    private readonly List<QmpSession> _sessions = [];
    private readonly QmpEventLimiter _limiter;
    private QmpSession[] _negotiated = [];
    private int _nextNumber;
    private bool _isDisposed;

    public QmpServer(IQmpHost host, QmpServerOptions options)
    {
        Host = host;
        Options = options;
        Greeting = MakeGreeting();
        _limiter = new QmpEventLimiter(options.EventInterval, options.Time, Send);
    }

    public static QmpCommand Negotiate => ServerCommands.Negotiate;

    public IQmpHost Host { get; }

    public QmpServerOptions Options { get; }

    public QmpSchema Schema => QmpSchemas.Product;

    /// <summary>The first line a client reads.</summary>
    public byte[] Greeting { get; }

    public int MonitorCount
    {
        get
        {
            lock (_lock)
                return _sessions.Count;
        }
    }

    /// <summary>Listens on one more address.</summary>
    /// <returns>The address, with the port that port 0 became.</returns>
    /// <exception cref="QmpListenException">It is taken, not allowed or not there.</exception>
    public QmpAddress Listen(QmpAddress address, QmpTlsOptions? tls = null)
    {
        tls ??= address.TlsFolder is null ? null : QmpTlsFiles.LoadServer(address);
        var listener = new QmpListener(address, tls, Accept, Options.Log);
        lock (_lock)
            _listeners.Add(listener);
        return listener.Address;
    }

    /// <summary>Ends listening, lets commands in progress answer until the flush deadline, closes every monitor.</summary>
    public void Dispose()
    {
        QmpListener[] listeners;
        QmpSession[] sessions;
        lock (_lock)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            listeners = [.. _listeners];
            sessions = [.. _sessions];
        }
        foreach (QmpListener listener in listeners)
            listener.Dispose();
        _limiter.Dispose();
        long start = Options.Time.GetTimestamp();
        foreach (QmpSession session in sessions)
        {
            TimeSpan left = Options.FlushDeadline - Options.Time.GetElapsedTime(start);
            session.Drain(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }
        foreach (QmpSession session in sessions)
            session.Dispose();
    }

    /// <summary>Called by a session whose last thread ends.</summary>
    public void Remove(QmpSession session)
    {
        lock (_lock)
            _sessions.Remove(session);
        MonitorsChanged();
    }

    /// <summary>Called when a session has left negotiation or has ended.</summary>
    public void MonitorsChanged()
    {
        lock (_lock)
            Volatile.Write(ref _negotiated, [.. _sessions.Where(session => session.IsNegotiated)]);
    }

    private void Accept(Socket socket, QmpTlsOptions? tls)
    {
        lock (_lock)
        {
            if (!_isDisposed && _sessions.Count < Options.MaxMonitors)
            {
                var session = new QmpSession(this, socket, tls, _nextNumber++);
                _sessions.Add(session);
                session.Start();
                Options.Log?.Invoke($"{session.Name}: connected");
                return;
            }
        }
        Options.Log?.Invoke($"qmp: connection refused, {Options.MaxMonitors} monitors are open");
        socket.Dispose();
    }

    private byte[] MakeGreeting()
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, QmpText.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("QMP"u8);
            writer.WritePropertyName("version"u8);
            ServerTypes.Version.Write(writer, Options);
            writer.WriteStartArray("capabilities"u8);
            writer.WriteStringValue("oob"u8);
            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        return QmpText.ToLine(buffer.WrittenSpan);
    }
}
