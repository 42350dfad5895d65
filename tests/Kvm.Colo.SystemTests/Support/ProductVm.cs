using System.Diagnostics;
using System.Text;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Client;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>A process <c>colo-vm run</c> as its user starts it, with a monitor. Killed at the end.</summary>
internal sealed class ProductVm : IDisposable
{
    private const string Listens = "monitor listens on ";
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    private readonly StringBuilder _said = new();
    private readonly TaskCompletionSource<string> _monitor = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Process _process;

    public ProductVm(params string[] options)
    {
        _process = new Process
        {
            StartInfo = TerminalProgram.Describe(
                TerminalProgram.Path, ["run", "--memory", "64M", "--serial", "null", "--qmp", "tcp:127.0.0.1:0", .. options], stateFolder: null),
        };
        _process.ErrorDataReceived += (_, line) => OnSaid(line.Data);
        _process.Start();
        _process.BeginErrorReadLine();
        if (!_monitor.Task.Wait(s_deadline))
            throw new TimeoutException($"no monitor; said: {Said}");
        Client = QmpClient.Connect(QmpAddress.Parse(_monitor.Task.Result), new QmpClientOptions { Deadline = s_deadline });
    }

    public QmpClient Client { get; }

    /// <summary>What it wrote to standard error.</summary>
    public string Said
    {
        get
        {
            lock (_said)
                return _said.ToString();
        }
    }

    /// <summary>A figure of <c>query-colo-statistics</c>.</summary>
    public long Statistic(string name) => Client.Execute("query-colo-statistics").GetProperty(name).GetInt64();

    /// <summary>Waits until that epoch, or a later one, is committed, and returns which.</summary>
    public long WaitForEpoch(long epoch)
    {
        while (true)
        {
            long committed = Client.WaitForEvent("__org.colo-vm_CHECKPOINT").Data.GetProperty("epoch").GetInt64();
            if (committed >= epoch)
                return committed;
        }
    }

    /// <summary>SIGKILL; returns when it is gone.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit(s_deadline);
    }

    public void Dispose()
    {
        Client.Dispose();
        Kill();
        _process.Dispose();
    }

    private void OnSaid(string? line)
    {
        lock (_said)
            _said.AppendLine(line);
        int at = line?.IndexOf(Listens, StringComparison.Ordinal) ?? -1;
        if (at >= 0)
            _monitor.TrySetResult(line![(at + Listens.Length)..]);
        else if (line is null)
            _monitor.TrySetException(new InvalidOperationException($"it ended; said: {Said}"));
    }
}
