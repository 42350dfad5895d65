using Kvm.Colo.Benchmarks.Reporting;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>The pictures of a comparison: one distribution of pauses per cell, and growth with dirty pages, RAM and vCPUs.</summary>
internal static class ComparisonPictures
{
    /// <summary>Writes SVG files into <paramref name="folder"/> and returns their paths.</summary>
    public static IReadOnlyList<string> Write(ComparisonData data, string folder)
    {
        List<string> paths = [];
        foreach (Cell cell in data.Cells.Where(static cell => cell.End == CellEnd.None))
        {
            SvgChart chart = new($"Pauses, {cell.Name}: share of checkpoints at or below", "pause, us", "share", isYLog: false);
            foreach (Contestant contestant in Enum.GetValues<Contestant>())
                chart.Add(contestant.Label, Cumulative(new Summary(data.Of(cell.Name, contestant)).Pauses));
            AddFile(paths, folder, $"pauses-{cell.Name}.svg", chart);
        }

        Growth(paths, data, folder, "dirty-pages", "dirty pages", static cell => cell.Name.StartsWith("pages-", StringComparison.Ordinal) ? cell.Pages : 0);
        Growth(paths, data, folder, "ram", "guest RAM, MiB",
            static cell => cell.Name.StartsWith("ram-", StringComparison.Ordinal) || cell.Name == "pages-256" ? cell.MemoryMiB : 0);
        Growth(paths, data, folder, "vcpus", "vCPUs", static cell => cell.Name.StartsWith("cpus-", StringComparison.Ordinal) ? cell.Cpus : 0);
        return paths;
    }

    private static void Growth(List<string> paths, ComparisonData data, string folder, string name, string axis, Func<Cell, int> x)
    {
        SvgChart chart = new($"Pause p50 (line) and p99 (dashed) against {axis}", axis, "pause, us", isYLog: true);
        Cell[] cells = [.. data.Cells.Where(cell => x(cell) > 0).OrderBy(x)];
        if (cells.Length < 2)
            return;
        foreach (Contestant contestant in Enum.GetValues<Contestant>())
        {
            Summary[] summaries = [.. cells.Select(cell => new Summary(data.Of(cell.Name, contestant)))];
            chart.Add(contestant.Label, [.. cells.Zip(summaries, (cell, s) => ((double)x(cell), s.Pauses.P50))]);
            chart.Add(contestant.Label, [.. cells.Zip(summaries, (cell, s) => ((double)x(cell), s.Pauses.P99))], isDashed: true);
        }

        AddFile(paths, folder, $"growth-{name}.svg", chart);
    }

    private static (double X, double Y)[] Cumulative(Distribution pauses) =>
        [.. pauses.Sorted.Select((pause, i) => (pause, (i + 1.0) / pauses.Count))];

    private static void AddFile(List<string> paths, string folder, string name, SvgChart chart)
    {
        if (chart.IsEmpty)
            return;
        string path = Path.Combine(folder, name);
        File.WriteAllText(path, chart.Render());
        paths.Add(path);
    }
}
