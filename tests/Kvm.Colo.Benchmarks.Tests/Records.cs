using Kvm.Colo.Benchmarks.Comparison;
using Kvm.Colo.Benchmarks.Emulated;

namespace Kvm.Colo.Benchmarks.Tests;

/// <summary>Comparisons with known figures.</summary>
internal static class Records
{
    public static readonly MachineDescription Machine = new("a CPU", 2, "6.18", "software", "QEMU 7.2", "abc", "2026-11-21", 0.5);

    public static ComparisonData Data(params RunRecord[] runs)
    {
        HashSet<string> names = [.. runs.Select(static run => run.Cell)];
        ComparisonData data = new()
        {
            Machine = Machine,
            Command = "test",
            Cells = [.. Plan.Cells(isQuick: false, 10).Concat(EmulatedPlan.Cells(isQuick: false, 10)).Where(cell => names.Contains(cell.Name))],
        };
        data.Runs.AddRange(runs);
        return data;
    }

    public static RunRecord Run(string cell, Contestant contestant, params double[] pausesUs) => new()
    {
        Cell = cell,
        Contestant = contestant.Label,
        Round = 1,
        WindowSeconds = 10,
        PausesUs = pausesUs,
    };

    public static RunRecord Run(string cell, string label, params double[] pausesUs) => Run(cell, Contestant.Colo, pausesUs) with { Contestant = label };

    public static MemoryFigures Memory(double mebibytes) => new(0, (long)(mebibytes * 1024), 0, 0);
}
