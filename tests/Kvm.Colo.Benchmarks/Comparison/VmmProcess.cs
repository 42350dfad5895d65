using System.Diagnostics;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Client;
using Mono.Unix.Native;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>One VMM: its process, monitor, serial line and trace. Ended by Dispose, whatever happened.</summary>
internal sealed class VmmProcess : IDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly List<string> _messages = [];

    /// <summary>Starts a VMM, whose sockets and trace are <paramref name="files"/>.</summary>
    public VmmProcess(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, VmmFiles files)
    {
        Files = files;
        Serial = new SerialTap(files.Serial);
        ProcessStartInfo start = new(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        SpawnedUs = HostClock.NowUs;
        _process.Start();
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    public VmmFiles Files { get; }

    public SerialTap Serial { get; }

    public double SpawnedUs { get; }

    public int Id => _process.Id;

    public QmpClient Qmp { get; private set; } = null!;

    public string Messages
    {
        get
        {
            lock (_messages)
                return string.Join(" | ", _messages.TakeLast(4));
        }
    }

    public void Connect(TimeSpan deadline)
    {
        QmpAddress address = QmpAddress.Parse($"unix:{Files.Qmp}");
        HostClock.Until(() => _process.HasExited || TryConnect(address), deadline, "the monitor");
        if (Qmp is null)
            throw new InvalidOperationException($"the VMM ended at once: {Messages}");
    }

    public void Kill()
    {
        if (!_process.HasExited)
            _process.Kill();
    }

    /// <summary>Stops all its threads; its sockets stay open.</summary>
    public void Freeze() => Syscall.kill(_process.Id, Signum.SIGSTOP);

    /// <summary>Takes events until one fits; the time is the VMM's stamp.</summary>
    public double WaitForEvent(Func<QmpClientEvent, bool> fits, TimeSpan deadline, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (deadline - Stopwatch.GetElapsedTime(start) is var left && left > TimeSpan.Zero)
        {
            if (Qmp.TryTakeEvent(left, out QmpClientEvent item) && fits(item))
                return HostClock.Of(item.Time);
        }

        throw new TimeoutException($"no {what} within {deadline.TotalSeconds:0} s");
    }

    public void Dispose()
    {
        Kill();
        Qmp?.Dispose();
        _process.WaitForExit(s_deadline);
        Serial.Dispose();
        _process.Dispose();
    }

    private bool TryConnect(QmpAddress address)
    {
        if (!File.Exists(Files.Qmp))
            return false;
        try
        {
            Qmp = QmpClient.Connect(address, new QmpClientOptions { Deadline = s_deadline });
            return true;
        }
        catch (QmpConnectionException)
        {
            return false; // the file is there a moment before the listener is
        }
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_messages)
        {
            if (!string.IsNullOrWhiteSpace(line.Data) && _messages.Count < 1000)
                _messages.Add(line.Data);
        }
    }
}

/// <summary>Where one VMM's sockets and trace are.</summary>
internal sealed record VmmFiles(string Folder, string Name)
{
    public string Qmp => Path.Combine(Folder, Name + ".qmp");

    public string Serial => Path.Combine(Folder, Name + ".ser");

    public string Trace => Path.Combine(Folder, Name + ".trace");
}
