using System.Text.Json;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>Everything one run of one contestant in one cell gave; the raw data.</summary>
internal sealed record RunRecord
{
    public required string Contestant { get; init; }

    public required string Cell { get; init; }

    public required int Round { get; init; }

    /// <summary>Share of CPU time that others had just before, 0 to 1.</summary>
    public double BusyShare { get; init; }

    /// <summary>Why there are no figures; null when all went well.</summary>
    public string? Failure { get; set; }

    public double WindowSeconds { get; set; }

    /// <summary>The primary's pauses in microseconds, in order, from its trace.</summary>
    public IReadOnlyList<double> PausesUs { get; set; } = [];

    /// <summary>How many of the pauses lie in the interval that the guest's reports cover.</summary>
    public int GuestPauses { get; set; }

    /// <summary>Lower bounds of gaps in nanoseconds and how many the guest saw in that interval.</summary>
    public SortedDictionary<long, long> GuestGapsNs { get; set; } = [];

    /// <summary>Largest gap of that interval as the guest saw it, in microseconds.</summary>
    public double GuestMaxGapUs { get; set; }

    /// <summary>Bytes over the link in both directions in the window; null for a UNIX socket, which does not count.</summary>
    public long? LinkBytes { get; set; }

    /// <summary>CPU time of the window by thread name, in milliseconds.</summary>
    public SortedDictionary<string, double> PrimaryCpu { get; set; } = [];

    public SortedDictionary<string, double> SecondaryCpu { get; set; } = [];

    /// <summary>The same of all threads but the vCPUs.</summary>
    public double PrimaryCpuMs => ProcessFigures.Helpers(PrimaryCpu);

    public double SecondaryCpuMs => ProcessFigures.Helpers(SecondaryCpu);

    public MemoryFigures? PrimaryMemory { get; set; }

    public MemoryFigures? SecondaryMemory { get; set; }

    /// <summary>From the command migrate to the status colo.</summary>
    public double SyncMs { get; set; }

    /// <summary>From the command migrate to the first checkpoint live on the secondary; where the cell asks for it.</summary>
    public double ProtectedMs { get; set; } = double.NaN;

    /// <summary>The longest stop of the guest between these two moments, in microseconds.</summary>
    public double LongestStopUs { get; set; } = double.NaN;

    public TakeoverFigures? Takeover { get; set; }

    /// <summary>From the loss of the primary to COLO_EXIT on the secondary, in milliseconds; where the cell asks for it.</summary>
    public double DetectedMs { get; set; } = double.NaN;

    public ProtectedAgainFigures? Again { get; set; }

    /// <summary>Why the survivor could not be protected again; null when it could, or was not asked to be.</summary>
    public string? AgainFailure { get; set; }

    /// <summary>Pages the guest wrote in a second before it was protected; where the cell asks for it.</summary>
    public double SoloPagesPerSecond { get; set; } = double.NaN;

    /// <summary>The same in the window.</summary>
    public double PagesPerSecond { get; set; } = double.NaN;

    /// <summary>How long the guest's answers took before it was protected, in microseconds; where the cell asks for it.</summary>
    public IReadOnlyList<double> SoloEchoesUs { get; set; } = [];

    /// <summary>The same in the window.</summary>
    public IReadOnlyList<double> EchoesUs { get; set; } = [];

    /// <summary>query-colo-statistics before and after the window (colo-vm).</summary>
    public JsonElement? StatisticsBefore { get; set; }

    public JsonElement? StatisticsAfter { get; set; }
}

/// <summary>smaps_rollup of one process in KiB, and what its memory files hold, mapped or not.</summary>
internal sealed record MemoryFigures(long RssKiB, long PssKiB, long AnonymousKiB, long ShmemKiB, long MemfdKiB = 0)
{
    /// <summary>Pages of a memory file that no mapping has touched are in no rollup, and are memory all the same.</summary>
    public long TotalKiB => PssKiB + Math.Max(0, MemfdKiB - ShmemKiB);
}

/// <summary>The end of a primary, in milliseconds.</summary>
/// <param name="DecisionToRunning">From x-colo-lost-heartbeat to the event that says the guest is on its own.</param>
/// <param name="KillToRunning">From SIGKILL to that event; the decision follows the kill at once.</param>
/// <param name="KillToOutput">From SIGKILL to the first byte the guest prints after that event.</param>
internal sealed record TakeoverFigures(double DecisionToRunning, double KillToRunning, double KillToOutput);

/// <summary>A survivor that is protected by a new secondary.</summary>
/// <param name="Commands">Commands given to the survivor.</param>
/// <param name="ProtectedMs">From the first of them to the first checkpoint live on the new secondary, in milliseconds.</param>
/// <param name="LongestStopUs">The longest stop of the guest meanwhile, in microseconds.</param>
internal sealed record ProtectedAgainFigures(int Commands, double ProtectedMs, double LongestStopUs);
