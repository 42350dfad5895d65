using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Kvm.Colo.SystemTests.Host;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>A host of its own: a process with one machine, led through <see cref="GuestHost"/>. It can be killed as a host dies.</summary>
internal sealed class HostProcess : IDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly Thread _reader;
    private readonly BlockingCollection<string> _answers = [];
    private readonly Lock _lock = new();
    private readonly List<string> _events = [];
    private readonly ManualResetEventSlim _changed = new(false);
    private bool _isReady;

    public HostProcess()
    {
        ProcessStartInfo start = new(Environment.ProcessPath!, ["exec", typeof(HostProcess).Assembly.Location])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment["DOTNET_TieredPGO"] = "0";
        if (!Path.GetFileName(Environment.ProcessPath!).StartsWith("dotnet", StringComparison.Ordinal))
            start.FileName = "dotnet";
        _process = Process.Start(start)!;
        _reader = new Thread(ReadOutput) { Name = "host-output", IsBackground = true };
        _reader.Start();
    }

    /// <summary>Everything its guest has said; empty until the first output.</summary>
    public ConsoleText Console { get; } = new();

    public string[] Events
    {
        get
        {
            lock (_lock)
                return [.. _events];
        }
    }

    /// <summary>Sends a command and waits for "ok", or returns the answer of a question.</summary>
    public string Do(string command)
    {
        if (!_isReady)
            Expect("ready", "start");
        _isReady = true;
        _process.StandardInput.WriteLine(command);
        _process.StandardInput.Flush();
        return command == "state" ? Answer(command) : Expect("ok", command);
    }

    /// <summary>Waits until this many events begin so.</summary>
    public void WaitForEvent(string prefix, int count = 1, int seconds = 30)
    {
        long end = Environment.TickCount64 + (seconds * 1000L);
        while (true)
        {
            _changed.Reset();
            if (Events.Count(e => e.StartsWith(prefix, StringComparison.Ordinal)) >= count)
                return;
            long left = end - Environment.TickCount64;
            if (left <= 0 || !_changed.Wait((int)left))
                throw new TimeoutException($"the other host did not raise '{prefix}' within {seconds} s; seen:\n{string.Join('\n', Events)}");
        }
    }

    /// <summary>SIGKILL; returns at once, when the process may still be dying.</summary>
    public void Kill() => _process.Kill();

    public void Dispose()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended already.
        }

        _process.WaitForExit(s_deadline);
        _reader.Join(s_deadline);
        _process.Dispose();
        _answers.Dispose();
    }

    private string Expect(string wanted, string command)
    {
        string answer = Answer(command);
        return answer == wanted ? answer : throw new InvalidOperationException($"the other host answered '{command}' with: {answer}");
    }

    private string Answer(string command) =>
        _answers.TryTake(out string? answer, s_deadline) ? answer : throw new TimeoutException($"the other host did not answer '{command}'");

    private void ReadOutput()
    {
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            switch (line[0])
            {
                case 'C':
                    Console.Append(Encoding.Latin1.GetString(Convert.FromBase64String(line[1..])));
                    break;
                case 'E':
                    lock (_lock)
                        _events.Add(line[1..]);
                    _changed.Set();
                    break;
                default:
                    _answers.Add(line[1..]);
                    break;
            }
        }
    }
}
