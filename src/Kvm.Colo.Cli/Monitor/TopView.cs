using System.Diagnostics;
using System.Runtime.InteropServices;
using Kvm.Colo.Qmp.Client;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Kvm.Colo.Cli.Monitor;

/// <summary>
/// Looks at a VM again and again: a table in place on a terminal, a line per look elsewhere; ends with SIGINT or the VM.
/// </summary>
internal sealed class TopView : IDisposable
{
    private readonly QmpClient _client;
    private readonly TimeSpan _interval;
    private readonly int? _count;
    private readonly ManualResetEventSlim _end = new(initialState: false, spinCount: 0);
    private readonly PosixSignalRegistration _interrupt;
    private VmStatus? _before;
    private long _lastLook;
    private int _looks;

    public TopView(QmpClient client, TimeSpan interval, int? count)
    {
        _client = client;
        _interval = interval;
        _count = count;
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            _end.Set();
        });
    }

    /// <summary>Runs until the end; the end of the VM is an ordinary one.</summary>
    public int Run()
    {
        try
        {
            if (Console.IsOutputRedirected)
                PrintLines();
            else
                AnsiConsole.Live(new Text("")).Start(Show);
        }
        catch (QmpConnectionException) when (_looks > 0)
        {
            Terminal.Messages.Line("the VM has ended");
        }

        return ExitStatus.Clean;
    }

    public void Dispose()
    {
        _interrupt.Dispose();
        _end.Dispose();
    }

    private void PrintLines()
    {
        do
        {
            (VmStatus now, TimeSpan elapsed) = Look();
            Console.Out.WriteLine(StatusLines.OneLine(now, _before, elapsed));
            Console.Out.Flush();
            _before = now;
        }
        while (WaitForNext());
    }

    private void Show(LiveDisplayContext context)
    {
        do
        {
            (VmStatus now, TimeSpan elapsed) = Look();
            context.UpdateTarget(Render(StatusLines.Describe(now, _before, elapsed)));
            _before = now;
        }
        while (WaitForNext());
    }

    private (VmStatus Now, TimeSpan Elapsed) Look()
    {
        VmStatus now = VmStatus.Read(_client);
        TimeSpan elapsed = _lastLook == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(_lastLook);
        _lastLook = Stopwatch.GetTimestamp();
        _looks++;
        return (now, elapsed);
    }

    private bool WaitForNext() => _looks != _count && !_end.Wait(_interval);

    private static Table Render(IReadOnlyList<(string Name, string Value)> lines)
    {
        Table table = new Table().HideHeaders().RoundedBorder().AddColumn("name").AddColumn("value");
        foreach ((string name, string value) in lines)
            table.AddRow((IRenderable)new Text(name, new Style(decoration: Decoration.Dim)), new Text(value));
        return table;
    }
}
