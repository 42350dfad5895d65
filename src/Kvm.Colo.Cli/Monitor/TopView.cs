using System.Runtime.InteropServices;
using Kvm.Colo.Qmp;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Kvm.Colo.Cli.Monitor;

/// <summary>
/// Looks at a VM or both of a pair again and again: a table in place on a terminal, a line per VM and look elsewhere; ends with SIGINT
/// or the last VM.
/// </summary>
internal sealed class TopView : IDisposable
{
    private const int EpochsShown = 8;

    private readonly List<WatchedVm> _machines = [];
    private readonly TimeSpan _interval;
    private readonly int? _count;
    private readonly bool _json;
    private readonly ManualResetEventSlim _end = new(initialState: false, spinCount: 0);
    private readonly PosixSignalRegistration _interrupt;
    private int _looks;

    public TopView(IReadOnlyList<QmpAddress> addresses, TimeSpan interval, int? count, bool json)
    {
        _interval = interval;
        _count = count;
        _json = json;
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            _end.Set();
        });
        try
        {
            foreach (QmpAddress address in addresses)
                _machines.Add(new WatchedVm(address));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Runs until the end; the end of the VMs is an ordinary one.</summary>
    public int Run()
    {
        if (_json || Console.IsOutputRedirected)
            PrintLines();
        else
            AnsiConsole.Live(new Text("")).Start(Show);
        if (_machines.TrueForAll(static vm => vm.HasEnded))
            Terminal.Messages.Line(_machines.Count == 1 ? "the VM has ended" : "the VMs have ended");
        return ExitStatus.Clean;
    }

    public void Dispose()
    {
        foreach (WatchedVm vm in _machines)
            vm.Dispose();
        _interrupt.Dispose();
        _end.Dispose();
    }

    private void PrintLines()
    {
        while (Look())
        {
            foreach (WatchedVm vm in _machines.Where(static vm => !vm.HasEnded))
            {
                string monitor = _machines.Count > 1 ? $"monitor: {vm.Address}  " : "";
                Console.Out.WriteLine(_json
                    ? vm.Now!.ToJsonLine(vm.Address, vm.Before, vm.Elapsed)
                    : monitor + StatusLines.OneLine(vm.Now!, vm.Before, vm.Elapsed));
            }

            Console.Out.Flush();
            if (!WaitForNext())
                return;
        }
    }

    private void Show(LiveDisplayContext context)
    {
        while (Look())
        {
            context.UpdateTarget(Render());
            if (!WaitForNext())
                return;
        }
    }

    // False when there is nothing left to look at.
    private bool Look()
    {
        foreach (WatchedVm vm in _machines)
            vm.Look();
        _looks++;
        return _machines.Exists(static vm => !vm.HasEnded);
    }

    private bool WaitForNext() => _looks != _count && !_end.Wait(_interval);

    private Rows Render() => new([RenderStatus(), .. _machines.Where(static vm => !vm.HasEnded).Select(RenderEpochs).OfType<Table>()]);

    // The last epochs as this VM knows them; nothing before the first.
    private Table? RenderEpochs(WatchedVm vm)
    {
        IReadOnlyList<string[]> epochs = vm.Now!.Epochs(EpochsShown);
        if (epochs.Count == 0)
            return null;
        Table table = new Table().RoundedBorder();
        if (_machines.Count > 1)
            table.Title(new TableTitle(Markup.Escape(vm.Address.ToString())));
        foreach (string column in EpochRows.Columns)
            table.AddColumn(new TableColumn(new Text(column)) { Alignment = column == "cause" ? Justify.Left : Justify.Right });
        foreach (string[] epoch in epochs)
            table.AddRow(epoch.Select(static cell => new Text(cell)));
        return table;
    }

    // A row for each name that some VM has, a column for each VM.
    private Table RenderStatus()
    {
        Table table = new Table().RoundedBorder().AddColumn("");
        if (_machines.Count == 1)
            table.HideHeaders();
        foreach (WatchedVm vm in _machines)
            table.AddColumn(new TableColumn(new Text(vm.Address.ToString())));
        List<Dictionary<string, string>> columns = [.. _machines.Select(static vm => vm.Describe().ToDictionary())];
        foreach (string name in _machines.SelectMany(static vm => vm.Describe()).Select(static line => line.Name).Distinct())
        {
            IEnumerable<IRenderable> cells = columns.Select(column => (IRenderable)new Text(column.GetValueOrDefault(name, "")));
            table.AddRow([new Text(name, new Style(decoration: Decoration.Dim)), .. cells]);
        }

        return table;
    }
}
