namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>One line about one run, for a person who watches.</summary>
internal static class RunLine
{
    public static string Describe(RunRecord run)
    {
        string head = $"{run.Cell} {run.Contestant} round {run.Round}: ";
        if (run.Failure is not null)
            return $"{head}FAILED: {run.Failure}";
        Distribution pauses = new(run.PausesUs);
        string line = $"{head}{pauses.Count} checkpoints, pause us p50 {pauses.P50:0} p99 {pauses.P99:0}, sync {run.SyncMs:0.0} ms";
        if (run.Takeover is { } takeover)
            line += $", takeover {takeover.DecisionToRunning:0.0} ms, to output {takeover.KillToOutput:0.0} ms, first checkpoint after {run.ProtectedMs:0.0} ms";
        if (run.Again is { } again)
            line += $", protected again after {again.ProtectedMs:0.0} ms";
        if (run.AgainFailure is not null)
            line += $", NOT protected again: {run.AgainFailure}";
        return run.BusyShare > LoadGate.Limit ? $"{line} (BUSY {100 * run.BusyShare:0} %)" : line;
    }
}
