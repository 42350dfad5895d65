using System.IO.Enumeration;
using System.Text;
using Kvm.Colo.Cli.Hosting;
using Kvm.Colo.Cli.Terminal;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Native.Io;
using Kvm.Colo.Qmp.Commands;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Cli.Diagnostics;

/// <summary>
/// Trace lines in the form of QEMU's log backend, <c>PID@SECONDS.MICROSECONDS:event arguments</c>. An event costs its text and
/// a copy into a buffer; a thread of its own writes the buffer out, so that no event waits for a disk. Any thread.
/// </summary>
internal sealed class TraceLog : IDisposable
{
    private const int BufferBytes = 1 << 20;
    private const int WriteBytes = BufferBytes / 4;
    private static readonly TimeSpan s_writeInterval = TimeSpan.FromMilliseconds(250);
    private static readonly string[] s_events =
        ["runstate_set", "migrate_set_state", "colo_vm_state_change", "colo_send_message", "colo_receive_message"];

    private readonly Lock _lock = new();
    private readonly System.IO.Stream _output;
    private readonly TimeProvider _time;
    private readonly ManualResetEventSlim _wake = new(initialState: false, spinCount: 0);
    private readonly Thread _writer;
    private readonly bool[] _enabled;
    private byte[] _filling = new byte[BufferBytes];
    private byte[] _writing = new byte[BufferBytes];
    private int _length;
    private long _lostLines;
    private volatile bool _stopping;

    private TraceLog(bool[] enabled, System.IO.Stream output, TimeProvider time)
    {
        _enabled = enabled;
        _output = output;
        _time = time;
        _writer = new Thread(Write) { Name = "trace", IsBackground = true };
        _writer.Start();
    }

    /// <summary>Opens the trace, or null when no pattern matches an event.</summary>
    /// <param name="patterns">Names with * and ?.</param>
    /// <param name="path">The file, null for standard error.</param>
    /// <param name="time">Wall clock of the lines.</param>
    /// <exception cref="UsageException">The file cannot be written.</exception>
    public static TraceLog? Open(IReadOnlyList<string> patterns, string? path, TimeProvider time)
    {
        bool[] enabled = new bool[s_events.Length];
        foreach (string pattern in patterns)
        {
            bool any = false;
            for (int i = 0; i < s_events.Length; i++)
            {
                bool matches = FileSystemName.MatchesSimpleExpression(pattern, s_events[i], ignoreCase: false);
                enabled[i] |= matches;
                any |= matches;
            }

            if (!any)
                Messages.Line($"--trace {pattern}: there is no such event (there are {string.Join(", ", s_events)})");
        }

        return enabled.Contains(true) ? new TraceLog(enabled, OpenOutput(path), time) : null;
    }

    public void RunState(RunState from, RunState to)
    {
        if (_enabled[0])
            Add($"runstate_set current_run_state {(int)from.ToQmp()} ({from.Name()}) new_state {(int)to.ToQmp()} ({to.Name()})");
    }

    public void CheckpointPause(bool begins)
    {
        if (_enabled[2])
            Add(begins ? "colo_vm_state_change Change 'run' => 'stop'" : "colo_vm_state_change Change 'stop' => 'run'");
    }

    public void MigrationStatus(MigrationStatus status)
    {
        if (_enabled[1])
            Add($"migrate_set_state new state {MigrationTypes.Status.NameOf(status.ToQmp())}");
    }

    public void ColoMessage(bool sent, ColoMessage message)
    {
        if (sent && _enabled[3])
            Add($"colo_send_message Send '{message.Name()}' message");
        else if (!sent && _enabled[4])
            Add($"colo_receive_message Receive '{message.Name()}' message");
    }

    /// <summary>Writes what is left and closes the file.</summary>
    public void Dispose()
    {
        _stopping = true;
        _wake.Set();
        _writer.Join(TimeSpan.FromSeconds(5));
        _wake.Dispose();
        if (_lostLines > 0)
            Messages.Line($"{_lostLines} trace lines were lost: they came faster than they could be written");
        _output.Dispose();
    }

    private static System.IO.Stream OpenOutput(string? path)
    {
        try
        {
            return path is null
                ? new StandardOutputStream(2)
                : new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"--trace-file {path}: {e.Message}", e);
        }
    }

    private void Add(string text)
    {
        long microseconds = (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        string line = $"{Environment.ProcessId}@{microseconds / 1_000_000}.{microseconds % 1_000_000:D6}:{text}\n";
        bool isFull;
        lock (_lock)
        {
            if (_length + line.Length > BufferBytes)
                _lostLines++;
            else
                _length += Encoding.ASCII.GetBytes(line, _filling.AsSpan(_length));
            isFull = _length >= WriteBytes;
        }

        if (isFull)
            _wake.Set();
    }

    private void Write()
    {
        while (!_stopping)
        {
            _wake.Wait(s_writeInterval);
            _wake.Reset();
            WriteOut();
        }

        WriteOut();
    }

    private void WriteOut()
    {
        int length;
        lock (_lock)
        {
            (_filling, _writing) = (_writing, _filling);
            length = _length;
            _length = 0;
        }

        try
        {
            if (length > 0)
                _output.Write(_writing, 0, length);
        }
        catch (IOException)
        {
            lock (_lock)
                _lostLines++;
        }
    }
}
