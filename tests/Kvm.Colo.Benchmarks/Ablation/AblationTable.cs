using Kvm.Colo.Benchmarks.Comparison;
using Kvm.Colo.Benchmarks.Reporting;
using Spectre.Console;

namespace Kvm.Colo.Benchmarks.Ablation;

/// <summary>One line per variant of a cell; behind each figure its ratio to all-on: above 1 the missing technique was worth that much.</summary>
internal static class AblationTable
{
    private static readonly (string Name, Func<Summary, double> Value)[] s_figures =
    [
        ("pause p50, us", static s => s.Pauses.P50),
        ("p99, us", static s => s.Pauses.P99),
        ("KiB/checkpoint", static s => s.KiBPerCheckpoint),
        ("CPU ms/checkpoint", static s => s.BothCpuMs),
        ("commit p50, us", static s => s.CountedP50Us("commit")),
    ];

    public static void Write(ComparisonData data, IAnsiConsole console, TextWriter text)
    {
        text.WriteLine($"{data.Machine.Processor}, {data.Machine.Cpus} CPUs, Linux {data.Machine.Kernel}, KVM: {data.Machine.Kvm}; colo-vm {data.Machine.Commit}; {data.Machine.Time}");
        Table table = TextTable.Create(["cell", "variant"], [.. s_figures.SelectMany(static figure => (string[])[figure.Name, "x"]), "checkpoints/s"]);
        foreach (Cell cell in data.Cells)
        {
            Summary whole = new(data.Of(cell.Name, AblationPlan.AllOn));
            foreach (string label in data.Labels())
                AddRow(table, cell, label, new Summary(data.Of(cell.Name, label)), whole);
            table.AddEmptyRow();
        }

        console.Write(table);
        foreach (RunRecord run in data.Runs.Where(static run => run.Failure is not null))
            text.WriteLine($"failed: {run.Cell} {run.Contestant} round {run.Round}: {run.Failure}");
        int busy = data.Runs.Count(static run => run.BusyShare > LoadGate.Limit);
        if (busy > 0)
            text.WriteLine($"{busy} of {data.Runs.Count} runs were measured on a busy machine.");
    }

    private static void AddRow(Table table, Cell cell, string label, Summary summary, Summary whole)
    {
        List<string> row = [cell.Name, label];
        foreach ((_, Func<Summary, double> value) in s_figures)
        {
            double found = summary.IsEmpty ? double.NaN : value(summary);
            row.Add(Figure.Short(found));
            row.Add(label == AblationPlan.AllOn || whole.IsEmpty ? "" : TextTable.Ratio(found, value(whole)));
        }

        row.Add(summary.IsEmpty ? "-" : Figure.Short(summary.CheckpointsPerSecond));
        table.AddRow([.. row.Select(Markup.Escape)]);
    }
}
