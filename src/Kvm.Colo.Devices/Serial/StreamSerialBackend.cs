using Microsoft.Extensions.Logging;

namespace Kvm.Colo.Devices.Serial;

/// <summary>
/// A serial line over a pair of streams: the terminal, a file (no input), or pipes. Owns both streams. Nothing is lost while
/// the host takes its writes; one that fails is counted and reported once.
/// </summary>
internal sealed partial class StreamSerialBackend : ISerialBackend, ISerialSink
{
    private static readonly TimeSpan s_stopWait = TimeSpan.FromSeconds(1);

    private readonly System.IO.Stream? _input;
    private readonly System.IO.Stream _output;
    private readonly ILogger _logger;
    private readonly SerialWriteQueue _queue;
    private readonly SerialInputFeeder _feeder = new();
    private Thread? _reader;
    private bool _reported;
    private bool _isDisposed;

    public StreamSerialBackend(System.IO.Stream? input, System.IO.Stream output, ILogger logger)
    {
        _input = input;
        _output = output;
        _logger = logger;
        _queue = new SerialWriteQueue(this);
    }

    public long DroppedBytes => _queue.DroppedBytes;

    /// <summary>Opens a file for the guest's output; what it held is replaced.</summary>
    /// <exception cref="SerialBackendException">The file cannot be written.</exception>
    public static StreamSerialBackend CreateFile(string path, ILogger logger)
    {
        try
        {
            FileStream file = new(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            return new StreamSerialBackend(input: null, file, logger);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new SerialBackendException($"serial file '{path}' cannot be written: {e.Message}", e);
        }
    }

    public void Start(ISerialInput input, Action outputReady)
    {
        _queue.OnReady(outputReady);
        if (_input is null)
            return;
        _reader = new Thread(() => Read(input)) { Name = "serial-in", IsBackground = true };
        _reader.Start();
    }

    public int TryWrite(ReadOnlySpan<byte> data) => _queue.TryWrite(data);

    public void ResumeInput() => _feeder.Resume();

    public bool Flush(TimeSpan deadline) => _queue.Flush(deadline);

    public bool Write(ReadOnlySpan<byte> data)
    {
        try
        {
            _output.Write(data);
            _output.Flush();
            return true;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or UnauthorizedAccessException)
        {
            if (!_reported)
                LogWriteFailed(_logger, e.Message);
            _reported = true;
            return false;
        }
    }

    /// <summary>
    /// Ends both threads. A reader inside a terminal's read cannot be called back: it stays behind as a background thread and
    /// ends with the next key or with the process. Twice is harmless: a machine that could not be made disposes it, and so does its user.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
            return;
        _feeder.Stop();
        _queue.Dispose();
        _output.Dispose();
        _input?.Dispose();
        if (_reader is null || _reader.Join(s_stopWait))
            _feeder.Dispose();
    }

    private void Read(ISerialInput input)
    {
        byte[] buffer = new byte[SerialInputFeeder.BufferBytes];
        try
        {
            while (!_feeder.IsStopping)
            {
                int length = _input!.Read(buffer);
                if (length == 0)
                    return;
                _feeder.Deliver(input, buffer.AsSpan(0, length), static () => true);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            if (!_feeder.IsStopping)
                LogReadFailed(_logger, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "serial output is being lost: {Reason}")]
    private static partial void LogWriteFailed(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "serial input ended: {Reason}")]
    private static partial void LogReadFailed(ILogger logger, string reason);
}
