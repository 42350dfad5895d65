namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>What a figure gains from one cell to another: cost of a page, of RAM, of a vCPU. A line of the table.</summary>
/// <param name="Name">With its unit.</param>
/// <param name="From">The smaller cell.</param>
/// <param name="To">The larger one.</param>
/// <param name="Value">Of the summaries of both.</param>
internal sealed record Growth(string Name, string From, string To, Func<Summary, Summary, double> Value)
{
    /// <summary>Bytes of RAM that a guest has in one cell and not in the other, in MiB.</summary>
    public const double MoreRamMiB = 4096 - 256;

    public static readonly IReadOnlyList<Growth> All =
    [
        new("pause p50 per dirty page, us", "pages-256", "pages-10000", static (a, b) => (b.Pauses.P50 - a.Pauses.P50) / (10_000 - 256)),
        new("CPU per dirty page, us", "pages-256", "pages-10000", static (a, b) => 1000 * (b.BothCpuMs - a.BothCpuMs) / (10_000 - 256)),
        new("pause p50 of 4 GiB over 256 MiB, %", "pages-256", "ram-4096", PauseGrowthPercent),
        new("pause p50 of 4 GiB over 256 MiB, %", "growth-256", "growth-4096", PauseGrowthPercent),
        new("pause p50 of a second vCPU, us", "cpus-1", "cpus-2", static (a, b) => b.Pauses.P50 - a.Pauses.P50),
        new("primary's memory per GiB of untouched RAM, MiB", "takeover-256", "takeover-4096", static (a, b) => (b.PrimaryMiB - a.PrimaryMiB) / MoreRamMiB * 1024),
        new("secondary's memory per GiB of untouched RAM, MiB", "takeover-256", "takeover-4096", static (a, b) => (b.SecondaryMiB - a.SecondaryMiB) / MoreRamMiB * 1024),
    ];

    /// <summary>The figure of one who was measured in both cells, else NaN.</summary>
    public double Of(ComparisonData data, string label)
    {
        Summary from = new(data.Of(From, label));
        Summary to = new(data.Of(To, label));
        return from.IsEmpty || to.IsEmpty ? double.NaN : Value(from, to);
    }

    /// <summary>How much longer the middle pause of <paramref name="to"/> is, in percent.</summary>
    public static double PauseGrowthPercent(Summary from, Summary to) => 100 * (to.Pauses.P50 - from.Pauses.P50) / from.Pauses.P50;
}
