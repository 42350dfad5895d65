using System.Globalization;
using Kvm.Colo.Benchmarks.Reporting;
using Spectre.Console;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>The table: one line per figure, a column per contestant, and the ratio to QEMU's better variant.</summary>
internal static class ComparisonTable
{
    public static void Print(ComparisonData data) => Write(data, TextTable.Terminal(), Console.Out);

    /// <summary>The table goes to <paramref name="console"/>, the lines around it to <paramref name="text"/>.</summary>
    public static void Write(ComparisonData data, IAnsiConsole console, TextWriter text)
    {
        text.WriteLine($"{data.Machine.Processor}, {data.Machine.Cpus} CPUs, Linux {data.Machine.Kernel}, KVM: {data.Machine.Kvm}");
        text.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{data.Machine.Qemu}; colo-vm {data.Machine.Commit}; {data.Machine.Time}; load average {data.Machine.LoadAverage:0.0}"));
        IReadOnlyList<string> shown = data.Labels();
        Table table = TextTable.Create(["cell", "figure"], [.. shown, "best QEMU : colo-vm"]);
        foreach (Cell cell in data.Cells)
        {
            Dictionary<string, Summary> summaries = shown.ToDictionary(static label => label, label => new Summary(data.Of(cell.Name, label)));
            foreach (Figure figure in Figure.Of(cell))
                AddRow(table, cell, figure, shown, summaries);
            table.AddEmptyRow();
        }

        AddGrowth(table, data, shown);
        console.Write(table);
        WriteBoots(data, text);
        foreach (GoalResult goal in Goals.Judge(data))
            text.WriteLine(goal.ToString());
        foreach (RunRecord run in data.Runs.Where(static run => run.Failure is not null))
            text.WriteLine($"failed: {run.Cell} {run.Contestant} round {run.Round}: {run.Failure}");
        int busy = data.Runs.Count(static run => run.BusyShare > LoadGate.Limit);
        if (busy > 0)
            text.WriteLine($"{busy} of {data.Runs.Count} runs were measured on a busy machine.");
    }

    private static void AddRow(Table table, Cell cell, Figure figure, IReadOnlyList<string> shown, Dictionary<string, Summary> summaries)
    {
        List<string> row = [cell.Name, figure.Name];
        row.AddRange(shown.Select(label => summaries[label].IsEmpty ? "-" : figure.Text(summaries[label])));
        double ours = summaries.TryGetValue(Contestant.Colo.Label, out Summary? colo) && !colo.IsEmpty ? figure.Value(colo) : double.NaN;
        row.Add(TextTable.Ratio(Best(summaries, figure), ours));
        table.AddRow([.. row.Select(Markup.Escape)]);
    }

    private static void AddGrowth(Table table, ComparisonData data, IReadOnlyList<string> shown)
    {
        foreach (Growth growth in Growth.All)
        {
            double[] values = [.. shown.Select(label => growth.Of(data, label))];
            if (!values.All(double.IsNaN))
                table.AddRow([.. ((string[])["growth", growth.Name, .. values.Select(Figure.Short), ""]).Select(Markup.Escape)]);
        }
    }

    private static double Best(Dictionary<string, Summary> summaries, Figure figure)
    {
        IEnumerable<double> values = Enum.GetValues<Contestant>().Where(static contestant => contestant.IsQemu)
            .Select(contestant => summaries.GetValueOrDefault(contestant.Label))
            .Where(static summary => summary is { IsEmpty: false })
            .Select(summary => figure.Value(summary!))
            .Where(static value => !double.IsNaN(value));
        return figure.MoreIsBetter ? values.DefaultIfEmpty(double.NaN).Max() : values.DefaultIfEmpty(double.NaN).Min();
    }

    private static void WriteBoots(ComparisonData data, TextWriter text)
    {
        foreach (IGrouping<string, BootRecord> way in data.Boots.GroupBy(static boot => boot.Way))
        {
            Distribution times = new(way.Select(static boot => boot.Milliseconds));
            text.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"start to first serial byte, {way.Key}: median {times.P50:0.0} ms ({times.Sorted[0]:0.0} to {times.Maximum:0.0}, {times.Count} starts)"));
        }
    }
}
