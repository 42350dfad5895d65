using System.CommandLine;
using System.IO.Enumeration;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>The whole comparison: the gate, the runs in turn, raw data, table and pictures.</summary>
internal static class ComparisonCommand
{
    private const int BootRuns = 5;

    public static Command CreateCommand()
    {
        MeasuringOptions options = new(rounds: 3, seconds: 30, quickSeconds: 3);
        Command command = new("compare", "QEMU and colo-vm in turn: one table, raw data and pictures under out/bench");
        options.AddTo(command);
        command.SetAction(parsed => Run(options.Read(parsed)));
        return command;
    }

    private static int Run(Measuring options)
    {
        Tools tools = new(Tools.FindRoot());
        if (!LoadGate.Pass(options.Force))
            return 1;
        IReadOnlyList<Cell> cells = Chosen(Plan.Cells(options.IsQuick && options.CellPattern is null, options.Seconds), options.CellPattern);
        if (cells.Count == 0)
        {
            Console.Error.WriteLine($"bench: no cell matches '{options.CellPattern}'; there are: {string.Join(", ", Plan.Cells(isQuick: false, 1).Select(static c => c.Name))}");
            return 2;
        }

        ComparisonData data = new() { Machine = MachineDescription.Read(tools), Command = Environment.CommandLine, Cells = cells };
        IReadOnlyList<Subject> subjects = [.. Plan.Contestants(options.IsQuick).Select(static contestant => new Subject(contestant))];
        Measurement.Run(tools, Measurement.Turns(cells, options.Rounds, subjects), Pace.Native, () => LoadGate.Look(options.Force), data.Runs);
        if (options.CellPattern is null)
            MeasureBoots(tools, options.IsQuick ? 3 : BootRuns, data);
        ComparisonTable.Print(data);
        foreach (string picture in ComparisonPictures.Write(data, tools.Output))
            Console.Out.WriteLine($"picture: {picture}");
        RawData.Write(data, tools.Output, "comparison.json");
        return data.Runs.Exists(static run => run.Failure is not null) ? 1 : 0;
    }

    /// <summary>The cells whose name matches one of the patterns (commas between, with * and ?); all without a pattern.</summary>
    public static IReadOnlyList<Cell> Chosen(IReadOnlyList<Cell> cells, string? patterns) => patterns is null ? cells
        : [.. cells.Where(cell => patterns.Split(',').Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, cell.Name)))];

    private static void MeasureBoots(Tools tools, int runs, ComparisonData data)
    {
        for (int run = 0; run < runs; run++)
        {
            foreach ((string name, string program, string[] arguments) in BootRun.Ways(tools))
                data.Boots.Add(new BootRecord(name, BootRun.Measure(program, arguments)));
        }
    }
}
