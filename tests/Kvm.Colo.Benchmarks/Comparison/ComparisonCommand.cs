using System.IO.Enumeration;
using System.Text.Json;
using Kvm.Colo.Benchmarks.Reporting;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>The whole comparison: the gate, the runs in turn, raw data, table and pictures.</summary>
internal static class ComparisonCommand
{
    private const int BootRuns = 5;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static int Run(ComparisonOptions options)
    {
        Tools tools = new(Tools.FindRoot());
        if (!PassGate(options))
            return 1;
        IReadOnlyList<Cell> cells = [.. Plan.Cells(options.IsQuick && options.CellPattern is null, options.Seconds)
            .Where(cell => options.CellPattern is null || Matches(options.CellPattern, cell.Name))];
        if (cells.Count == 0 && !options.WithBoot)
        {
            Console.Error.WriteLine($"bench: no cell matches '{options.CellPattern}'; there are: {string.Join(", ", Plan.Cells(isQuick: false, 1).Select(static c => c.Name))}");
            return 2;
        }

        ComparisonData data = new() { Machine = MachineDescription.Read(tools), Command = Environment.CommandLine, Cells = cells };
        MeasurePairs(tools, options, data);
        if (options.WithBoot)
            MeasureBoots(tools, options.IsQuick ? 3 : BootRuns, data);
        string path = Path.Combine(tools.Output, "comparison.json");
        File.WriteAllText(path, JsonSerializer.Serialize(data, s_json));
        ComparisonTable.Print(data);
        foreach (string picture in ComparisonPictures.Write(data, tools.Output))
            Console.Out.WriteLine($"picture: {picture}");
        Console.Out.WriteLine($"raw data: {path}");
        return data.Runs.Exists(static run => run.Failure is not null) ? 1 : 0;
    }

    private static bool Matches(string patterns, string name) =>
        patterns.Split(',').Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name));

    private static bool PassGate(ComparisonOptions options)
    {
        double busy = options.Force ? LoadGate.Measure() : LoadGate.WaitForQuiet(s_patience);
        if (busy <= LoadGate.Limit)
            return true;
        string found = $"{100 * busy:0.0} % of the CPU time goes elsewhere (limit {100 * LoadGate.Limit:0} %), load average {LoadGate.LoadAverage():0.0}";
        if (options.Force)
        {
            Console.Error.WriteLine($"bench: this machine is busy: {found}. Measuring all the same; do not quote these figures.");
            return true;
        }

        Console.Error.WriteLine($"bench: this machine is busy: {found}. Try again when it is quiet, or see what comes with --force.");
        return false;
    }

    // ABAB: contestants take turns within a round, and rounds repeat, so that a drift of the machine meets all of them.
    private static void MeasurePairs(Tools tools, ComparisonOptions options, ComparisonData data)
    {
        Contestant[] contestants = options.IsQuick
            ? [Contestant.QemuShipped, Contestant.QemuNoDelay, Contestant.Colo]
            : Enum.GetValues<Contestant>();
        int total = data.Cells.Count * options.Rounds * contestants.Length;
        foreach (Cell cell in data.Cells)
        {
            for (int round = 1; round <= options.Rounds; round++)
            {
                foreach (Contestant contestant in contestants)
                {
                    double busy = options.Force ? LoadGate.Measure() : LoadGate.WaitForQuiet(s_patience);
                    RunRecord record = PairRun.Measure(tools, contestant, cell, round, busy);
                    data.Runs.Add(record);
                    Console.Error.WriteLine($"[{data.Runs.Count}/{total}] {RunLine.Describe(record)}");
                }
            }
        }
    }

    private static void MeasureBoots(Tools tools, int runs, ComparisonData data)
    {
        for (int run = 0; run < runs; run++)
        {
            foreach ((string name, string program, string[] arguments) in BootRun.Ways(tools))
                data.Boots.Add(new BootRecord(name, BootRun.Measure(program, arguments)));
        }
    }
}
