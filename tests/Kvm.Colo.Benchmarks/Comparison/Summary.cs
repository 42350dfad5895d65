using System.Text.Json;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>The figures of one contestant in one cell, over all rounds.</summary>
internal sealed class Summary
{
    // QEMU 7.2: a page and its 8 byte head in an inner channel buffer, and the device state of the machine pc.
    private const double QemuBytesPerPage = 4104;
    private const double QemuBytesBesidePages = 21_000;

    private readonly IReadOnlyList<RunRecord> _runs;

    public Summary(IReadOnlyList<RunRecord> runs)
    {
        _runs = runs;
        Pauses = new Distribution(runs.SelectMany(static run => run.PausesUs));
        SoloEchoes = new Distribution(runs.SelectMany(static run => run.SoloEchoesUs));
        Echoes = new Distribution(runs.SelectMany(static run => run.EchoesUs));
    }

    public bool IsEmpty => _runs.Count == 0;

    /// <summary>Pauses by the trace, in microseconds.</summary>
    public Distribution Pauses { get; }

    /// <summary>What an answer took before the guest was protected, in microseconds.</summary>
    public Distribution SoloEchoes { get; }

    /// <summary>What an answer took in the window, in microseconds.</summary>
    public Distribution Echoes { get; }

    public double CheckpointsPerSecond => PerRun(static run => run.PausesUs.Count / run.WindowSeconds);

    /// <summary>Percentage of the time in which the guest ran.</summary>
    public double GuestRunsPercent => PerRun(static run => 100 * (1 - (run.PausesUs.Sum() / 1e6 / run.WindowSeconds)));

    public double KiBPerCheckpoint => PerRun(static run => run.LinkBytes / 1024.0 / run.PausesUs.Count ?? double.NaN);

    public double PrimaryCpuMs => PerRun(static run => run.PrimaryCpuMs / run.PausesUs.Count);

    public double SecondaryCpuMs => PerRun(static run => run.SecondaryCpuMs / run.PausesUs.Count);

    public double BothCpuMs => PrimaryCpuMs + SecondaryCpuMs;

    public double PrimaryMiB => PerRun(static run => run.PrimaryMemory?.TotalKiB / 1024.0 ?? double.NaN);

    public double SecondaryMiB => PerRun(static run => run.SecondaryMemory?.TotalKiB / 1024.0 ?? double.NaN);

    public double SyncMs => PerRun(static run => run.SyncMs);

    public double ProtectedMs => PerRun(static run => run.ProtectedMs);

    public double LongestStopUs => PerRun(static run => run.LongestStopUs);

    /// <summary>The part of its speed, in percent, that the guest has lost by being protected.</summary>
    public double SlowdownPercent => PerRun(static run => 100 * (1 - (run.PagesPerSecond / run.SoloPagesPerSecond)));

    public double AgainCommands => PerRun(static run => run.Again?.Commands ?? double.NaN);

    public double AgainProtectedMs => PerRun(static run => run.Again?.ProtectedMs ?? double.NaN);

    public double AgainLongestStopUs => PerRun(static run => run.Again?.LongestStopUs ?? double.NaN);

    public double DetectedMs => PerRun(static run => run.DetectedMs);

    public double DecisionToRunningMs => PerRun(static run => run.Takeover?.DecisionToRunning ?? double.NaN);

    public double KillToOutputMs => PerRun(static run => run.Takeover?.KillToOutput ?? double.NaN);

    /// <summary>
    /// Pages a checkpoint found dirty: as colo-vm counts them; of QEMU, which tells nothing but sends each of them whole, from its bytes, so
    /// not over a UNIX socket.
    /// </summary>
    public double DirtyPagesPerCheckpoint => PerRun(static run => run.StatisticsAfter is null
        ? Math.Max(0, (run.LinkBytes / (double)run.PausesUs.Count - QemuBytesBesidePages) / QemuBytesPerPage ?? double.NaN)
        : Difference(run, "dirty-pages") / Difference(run, "checkpoints"));

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

    /// <summary>The middle of all times of a kind (pause, commit, apply) that colo-vm has counted in the run so far, in microseconds.</summary>
    public double CountedP50Us(string kind) => PerRun(run =>
        run.StatisticsAfter is { } statistics && statistics.TryGetProperty(kind, out JsonElement times) && times.ValueKind == JsonValueKind.Object
        && times.TryGetProperty("p50-ns", out JsonElement p50) ? p50.GetDouble() / 1000 : double.NaN);

    private static double Difference(RunRecord run, string name) =>
        run is { StatisticsBefore: { } before, StatisticsAfter: { } after }
        && before.TryGetProperty(name, out JsonElement first) && after.TryGetProperty(name, out JsonElement last)
            ? last.GetDouble() - first.GetDouble()
            : double.NaN;

    // The median of the rounds: one disturbed run does not move it.
    private double PerRun(Func<RunRecord, double> figure) => new Distribution(_runs.Select(figure)).P50;
}
