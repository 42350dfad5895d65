using System.Globalization;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>A goal and where it stands.</summary>
internal sealed record GoalResult(string Goal, string Found, bool IsMet)
{
    public override string ToString() => $"{(IsMet ? "met   " : "MISSED")} {Goal}: {Found}";
}

/// <summary>The goals of README.md, judged against QEMU at its best in the same comparison; cells that were not measured are left out.</summary>
internal static class Goals
{
    private const double PageMiB = 4096.0 / (1 << 20);

    // "Costs nothing" has a bitmap of one bit a page, and the noise of two runs.
    private const double UntouchedMiBPerGiB = 2;

    public static IEnumerable<GoalResult> Judge(ComparisonData data)
    {
        List<GoalResult> results = [];
        Pause(results, data, "pages-256", 250, 10);
        Pause(results, data, "pages-10000", 1500, 20);
        Pause(results, data, "pages-25600", 3000, null);
        if (Colo(data, "pages-256") is { } tail)
            results.Add(Below("pages-256: pause p99, us", tail.Pauses.P99, 1000));
        if (Colo(data, "pages-256") is { } small && Colo(data, "ram-4096") is { } large)
            results.Add(Below("pause p50 at 4 GiB over that at 256 MiB, %", Growth.PauseGrowthPercent(small, large), 15));
        Tracked(results, data, Tracking.Bitmap, 15);
        Tracked(results, data, Tracking.Ring, 5);
        if (Colo(data, "back-to-back") is { } steady)
        {
            results.Add(Above("back-to-back: checkpoints/s", steady.CheckpointsPerSecond, 1000 * 0.99));
            results.Add(Above("back-to-back: guest runs, %", steady.GuestRunsPercent, 90));
        }

        Wire(results, data, "lock-step", 10);
        Wire(results, data, "diverging", 3);
        if (Colo(data, "one-page") is { } fixedCost)
            results.Add(Below("one-page: KiB per checkpoint", fixedCost.KiBPerCheckpoint, 4));
        foreach (string cell in (string[])["pages-16", "pages-1000", "pages-10000"])
            Ratio(results, data, cell, "CPU per checkpoint, QEMU to colo-vm", static s => s.BothCpuMs, 2);
        if (Colo(data, "output") is { } output)
        {
            results.Add(Below("output: an answer p50, us", output.Echoes.P50, 2000));
            results.Add(Below("output: an answer p99, us", output.Echoes.P99, 5000));
        }

        Protection(results, data);
        Memory(results, data);
        return results;
    }

    private static void Protection(List<GoalResult> results, ComparisonData data)
    {
        foreach (int memory in (int[])[256, 4096])
        {
            if (Colo(data, $"takeover-{memory}") is { } takeover)
                results.Add(Below($"takeover-{memory}: decision to running, ms", takeover.DecisionToRunningMs, 2));
        }

        foreach ((string cell, double limit) in (ReadOnlySpan<(string, double)>)[("death", 2), ("silence", 50)])
        {
            if (Colo(data, cell) is { } loss)
                results.Add(Below($"{cell}: loss to COLO_EXIT, ms", loss.DetectedMs, limit));
        }

        Ratio(results, data, "takeover-4096", "migrate to first checkpoint, QEMU to colo-vm", static s => s.ProtectedMs, 10);
        if (Colo(data, "takeover-4096") is not { } start)
            return;
        results.Add(Below("takeover-4096: longest stop until protected, us", start.LongestStopUs, 1000));
        results.Add(Below("takeover-4096: commands to be protected again", start.AgainCommands, 1));
    }

    private static void Memory(List<GoalResult> results, ComparisonData data)
    {
        foreach (Cell cell in data.Cells.Where(static cell => cell.End == CellEnd.Takeover || cell.Name == "pages-25600"))
        {
            if (Colo(data, cell.Name) is { } ours)
                results.Add(Below($"{cell.Name}: memory of the secondary, MiB", ours.SecondaryMiB, (1.1 * cell.MemoryMiB) + (cell.Pages * PageMiB)));
        }

        foreach (Growth growth in Growth.All.Where(static growth => growth.To == "takeover-4096"))
        {
            double found = growth.Of(data, Contestant.Colo.Label);
            if (!double.IsNaN(found))
                results.Add(Below(growth.Name, found, UntouchedMiBPerGiB));
        }
    }

    private static void Pause(List<GoalResult> results, ComparisonData data, string cell, double limitUs, double? times)
    {
        if (Colo(data, cell) is { } ours)
            results.Add(Below($"{cell}: pause p50, us", ours.Pauses.P50, limitUs));
        if (times is { } wanted)
            Ratio(results, data, cell, "pause p50, QEMU to colo-vm", static s => s.Pauses.P50, wanted);
    }

    private static void Tracked(List<GoalResult> results, ComparisonData data, string label, double percent)
    {
        Summary small = new(data.Of("growth-256", label));
        Summary large = new(data.Of("growth-4096", label));
        if (!small.IsEmpty && !large.IsEmpty)
            results.Add(Below($"{label}: pause p50 at 4 GiB over that at 256 MiB, %", Growth.PauseGrowthPercent(small, large), percent));
    }

    private static void Wire(List<GoalResult> results, ComparisonData data, string cell, double times) =>
        Ratio(results, data, cell, "bytes per checkpoint, QEMU to colo-vm", static s => s.KiBPerCheckpoint, times);

    private static void Ratio(List<GoalResult> results, ComparisonData data, string cell, string what, Func<Summary, double> value, double wanted)
    {
        double best = ((Contestant[])[Contestant.QemuShipped, Contestant.QemuNoDelay, Contestant.QemuUnix])
            .Select(c => new Summary(data.Of(cell, c))).Where(static s => !s.IsEmpty).Select(value)
            .Where(static v => !double.IsNaN(v)).DefaultIfEmpty(double.NaN).Min();
        if (Colo(data, cell) is { } ours && !double.IsNaN(best))
            results.Add(Above($"{cell}: {what}", best / value(ours), wanted));
    }

    private static Summary? Colo(ComparisonData data, string cell) =>
        new Summary(data.Of(cell, Contestant.Colo)) is { IsEmpty: false } summary ? summary : null;

    private static GoalResult Below(string what, double found, double limit) => new($"{what} at most {Text(limit)}", Text(found), found <= limit);

    private static GoalResult Above(string what, double found, double limit) => new($"{what} at least {Text(limit)}", Text(found), found >= limit);

    private static string Text(double value) => value.ToString(Math.Abs(value) < 100 ? "0.##" : "0", CultureInfo.InvariantCulture);
}
