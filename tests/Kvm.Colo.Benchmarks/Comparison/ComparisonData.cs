namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>The raw data of one comparison, as it is written to out/bench/comparison.json.</summary>
internal sealed record ComparisonData
{
    public required MachineDescription Machine { get; init; }

    public required string Command { get; init; }

    public required IReadOnlyList<Cell> Cells { get; init; }

    public List<RunRecord> Runs { get; } = [];

    public List<BootRecord> Boots { get; } = [];

    /// <summary>All good runs of one contestant in one cell.</summary>
    public IReadOnlyList<RunRecord> Of(string cell, Contestant contestant) => Of(cell, contestant.Label);

    /// <summary>All good runs of one subject in one cell.</summary>
    public IReadOnlyList<RunRecord> Of(string cell, string label) =>
        [.. Runs.Where(run => run.Cell == cell && run.Contestant == label && run.Failure is null)];

    /// <summary>Who was measured at all, in the order of the first turns.</summary>
    public IReadOnlyList<string> Labels() => [.. Runs.Select(static run => run.Contestant).Distinct()];
}

/// <summary>Start to the first serial byte, in milliseconds.</summary>
internal sealed record BootRecord(string Way, double Milliseconds);
