using Kvm.Colo.Native;
using Kvm.Colo.Native.Io;

namespace Kvm.Colo.Cli.Terminal;

/// <summary>The user's terminal as the guest's serial line: raw while the VM lives, restored on every way out.</summary>
internal sealed class SerialTerminal : IDisposable
{
    private readonly TerminalMode? _mode;

    /// <summary>Takes the terminal; when standard input is none it is read as it is.</summary>
    public SerialTerminal(Action quit)
    {
        _mode = TerminalMode.TryEnterRaw(0);
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
        Input = new TerminalInput(hasEscapes: _mode is not null, quit);
        Output = new StandardOutputStream(1);
    }

    public System.IO.Stream Input { get; }

    public System.IO.Stream Output { get; }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        Restore();
        Input.Dispose();
        Output.Dispose();
    }

    /// <summary>Gives the terminal back; the VM may still use the streams.</summary>
    public void Restore() => _mode?.Dispose();

    private void OnProcessExit(object? sender, EventArgs e) => Restore();
}
