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
    public IReadOnlyList<RunRecord> Of(string cell, Contestant contestant) =>
        [.. Runs.Where(run => run.Cell == cell && run.Contestant == contestant.Label && run.Failure is null)];
}

/// <summary>Start to the first serial byte, in milliseconds.</summary>
internal sealed record BootRecord(string Way, double Milliseconds);
