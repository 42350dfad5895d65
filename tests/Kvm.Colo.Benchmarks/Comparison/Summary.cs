using System.Text.Json;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>The figures of one contestant in one cell, over all rounds.</summary>
internal sealed class Summary
{
    private readonly IReadOnlyList<RunRecord> _runs;

    public Summary(IReadOnlyList<RunRecord> runs)
    {
        _runs = runs;
        Pauses = new Distribution(runs.SelectMany(static run => run.PausesUs));
    }

    public bool IsEmpty => _runs.Count == 0;

    /// <summary>Pauses by the trace, in microseconds.</summary>
    public Distribution Pauses { get; }

    public double CheckpointsPerSecond => PerRun(static run => run.PausesUs.Count / run.WindowSeconds);

    /// <summary>Percentage of the time in which the guest ran.</summary>
    public double GuestRunsPercent => PerRun(static run => 100 * (1 - (run.PausesUs.Sum() / 1e6 / run.WindowSeconds)));

    public double KiBPerCheckpoint => PerRun(static run => run.LinkBytes / 1024.0 / run.PausesUs.Count ?? double.NaN);

    public double PrimaryCpuMs => PerRun(static run => run.PrimaryCpuMs / run.PausesUs.Count);

    public double SecondaryCpuMs => PerRun(static run => run.SecondaryCpuMs / run.PausesUs.Count);

    public double BothCpuMs => PrimaryCpuMs + SecondaryCpuMs;

    public double PrimaryMiB => PerRun(static run => run.PrimaryMemory?.PssKiB / 1024.0 ?? double.NaN);

    public double SecondaryMiB => PerRun(static run => run.SecondaryMemory?.PssKiB / 1024.0 ?? double.NaN);

    public double SyncMs => PerRun(static run => run.SyncMs);

    public double ProtectedMs => PerRun(static run => run.ProtectedMs);

    public double DecisionToRunningMs => PerRun(static run => run.Takeover?.DecisionToRunning ?? double.NaN);

    public double KillToOutputMs => PerRun(static run => run.Takeover?.KillToOutput ?? double.NaN);

    /// <summary>Bytes on the wire for a byte of dirty pages (colo-vm counts its pages itself).</summary>
    public double DirtyPagesPerCheckpoint => PerRun(static run => Difference(run, "dirty-pages") / Difference(run, "checkpoints"));

    /// <summary>A percentile of the pauses as the guest saw them, in microseconds.</summary>
    public double GuestPauseUs(double share)
    {
        SortedDictionary<long, long> all = [];
        foreach ((long bound, long count) in _runs.SelectMany(static run => run.GuestGapsNs))
            all[bound] = all.GetValueOrDefault(bound) + count;
        int pauses = _runs.Sum(static run => run.GuestPauses);
        return pauses == 0 ? double.NaN : GuestReport.PauseUs(all, pauses, share);
    }

    public double GuestMaxUs => _runs.Select(static run => run.GuestMaxGapUs).DefaultIfEmpty(double.NaN).Max();

    private static double Difference(RunRecord run, string name) =>
        run is { StatisticsBefore: { } before, StatisticsAfter: { } after }
        && before.TryGetProperty(name, out JsonElement first) && after.TryGetProperty(name, out JsonElement last)
            ? last.GetDouble() - first.GetDouble()
            : double.NaN;

    // The median of the rounds: one disturbed run does not move it.
    private double PerRun(Func<RunRecord, double> figure) => new Distribution(_runs.Select(figure)).P50;
}
