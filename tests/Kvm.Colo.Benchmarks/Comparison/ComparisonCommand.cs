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
        Option<string?> contestants = new("--contestants")
        {
            Description = "only contestants whose label matches one of these patterns; to look at one of them, not to compare",
        };
        options.AddTo(command);
        command.Add(contestants);
        command.SetAction(parsed => Run(options.Read(parsed), parsed.GetValue(contestants)));
        return command;
    }

    private static int Run(Measuring options, string? contestants)
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
        IReadOnlyList<Contestant> all = Plan.Contestants(options.IsQuick);
        IReadOnlyList<Subject> subjects =
            [.. Chosen(all, contestants, static contestant => contestant.Label).Select(static contestant => new Subject(contestant))];
        if (subjects.Count == 0)
        {
            Console.Error.WriteLine($"bench: no contestant matches '{contestants}'; there are: {string.Join(", ", all.Select(static c => c.Label))}");
            return 2;
        }

        Measurement.Run(tools, Measurement.Turns(cells, options.Rounds, subjects, Plan.Fits), Pace.Native, () => LoadGate.Look(options.Force), data.Runs);
        if (options.CellPattern is null && contestants is null)
            MeasureBoots(tools, options.IsQuick ? 3 : BootRuns, data);
        ComparisonTable.Print(data);
        foreach (string picture in ComparisonPictures.Write(data, tools.Output))
            Console.Out.WriteLine($"picture: {picture}");
        RawData.Write(data, tools.Output, "comparison.json");
        return data.Runs.Exists(static run => run.Failure is not null) ? 1 : 0;
    }

    /// <summary>The cells whose name matches one of the patterns (commas between, with * and ?); all without a pattern.</summary>
    public static IReadOnlyList<Cell> Chosen(IReadOnlyList<Cell> cells, string? patterns) => Chosen(cells, patterns, static cell => cell.Name);

    private static IReadOnlyList<T> Chosen<T>(IReadOnlyList<T> all, string? patterns, Func<T, string> name) => patterns is null ? all
        : [.. all.Where(one => patterns.Split(',').Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name(one))))];

    private static void MeasureBoots(Tools tools, int runs, ComparisonData data)
    {
        for (int run = 0; run < runs; run++)
        {
            foreach ((string name, string program, string[] arguments) in BootRun.Ways(tools))
                data.Boots.Add(new BootRecord(name, BootRun.Measure(program, arguments)));
        }
    }
}
