using System.Globalization;
using Spectre.Console;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>The table: one line per figure, a column per contestant, and the ratio to QEMU's better variant.</summary>
internal static class ComparisonTable
{
    private const int PlainWidth = 170;

    public static void Print(ComparisonData data)
    {
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = PlainWidth;
        Console.Out.WriteLine($"{data.Machine.Processor}, {data.Machine.Cpus} CPUs, Linux {data.Machine.Kernel}, KVM: {data.Machine.Kvm}");
        Console.Out.WriteLine($"{data.Machine.Qemu}; colo-vm {data.Machine.Commit}; {data.Machine.Time}; load average {data.Machine.LoadAverage:0.0}");
        Contestant[] shown = [.. Enum.GetValues<Contestant>().Where(c => data.Runs.Exists(run => run.Contestant == c.Label))];
        Table table = new() { Border = TableBorder.Simple };
        table.AddColumn("cell").AddColumn("figure");
        foreach (Contestant contestant in shown)
            table.AddColumn(new TableColumn(contestant.Label).RightAligned());
        table.AddColumn(new TableColumn("best QEMU : colo-vm").RightAligned());
        foreach (Cell cell in data.Cells)
        {
            Dictionary<Contestant, Summary> summaries = shown.ToDictionary(static c => c, c => new Summary(data.Of(cell.Name, c)));
            foreach (Figure figure in Figure.Of(cell))
                AddRow(table, cell, figure, shown, summaries);
            table.AddEmptyRow();
        }

        AnsiConsole.Write(table);
        PrintBoots(data);
        foreach (GoalResult goal in Goals.Judge(data))
            Console.Out.WriteLine(goal.ToString());
        int failed = data.Runs.Count(static run => run.Failure is not null);
        int busy = data.Runs.Count(static run => run.BusyShare > LoadGate.Limit);
        if (failed + busy > 0)
            Console.Out.WriteLine($"{failed} runs failed, {busy} runs were measured on a busy machine.");
    }

    private static void AddRow(Table table, Cell cell, Figure figure, Contestant[] shown, Dictionary<Contestant, Summary> summaries)
    {
        List<string> row = [cell.Name, figure.Name];
        row.AddRange(shown.Select(c => summaries[c].IsEmpty ? "-" : figure.Text(summaries[c])));
        double best = Best(shown, summaries, figure);
        double ours = summaries.TryGetValue(Contestant.Colo, out Summary? colo) && !colo.IsEmpty ? figure.Value(colo) : double.NaN;
        double ratio = best / ours;
        row.Add(double.IsNaN(ratio) || double.IsInfinity(ratio) ? "" : ratio.ToString(ratio < 10 ? "0.00" : "0", CultureInfo.InvariantCulture));
        table.AddRow([.. row.Select(Markup.Escape)]);
    }

    private static double Best(Contestant[] shown, Dictionary<Contestant, Summary> summaries, Figure figure)
    {
        IEnumerable<double> values = shown.Where(c => c.IsQemu && !summaries[c].IsEmpty).Select(c => figure.Value(summaries[c])).Where(static v => !double.IsNaN(v));
        return figure.MoreIsBetter ? values.DefaultIfEmpty(double.NaN).Max() : values.DefaultIfEmpty(double.NaN).Min();
    }

    private static void PrintBoots(ComparisonData data)
    {
        foreach (IGrouping<string, BootRecord> way in data.Boots.GroupBy(static boot => boot.Way))
        {
            Distribution times = new(way.Select(static boot => boot.Milliseconds));
            Console.Out.WriteLine($"start to first serial byte, {way.Key}: median {times.P50:0.0} ms ({times.Sorted[0]:0.0} to {times.Maximum:0.0}, {times.Count} starts)");
        }
    }
}
