using System.Globalization;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>A line of the table: how it is read from a summary, how it is shown.</summary>
/// <param name="Name">With its unit.</param>
/// <param name="Value">What the ratio is made of.</param>
/// <param name="Text">What is shown.</param>
/// <param name="MoreIsBetter">Which of QEMU's variants is its best.</param>
internal sealed record Figure(string Name, Func<Summary, double> Value, Func<Summary, string> Text, bool MoreIsBetter = false)
{
    private const string GuestView = "the guest sees, us";

    private static readonly Figure[] s_checkpoints =
    [
        new("pause p50 / p99 / max, us", static s => s.Pauses.P50, static s => Three(s.Pauses.P50, s.Pauses.P99, s.Pauses.Maximum)),
        new(GuestView, static s => s.GuestPauseUs(0.5), static s => Three(s.GuestPauseUs(0.5), s.GuestPauseUs(0.99), s.GuestMaxUs)),
        Number("checkpoints/s", static s => s.CheckpointsPerSecond, moreIsBetter: true),
        Number("guest runs, % of the time", static s => s.GuestRunsPercent, moreIsBetter: true),
        Number("dirty pages per checkpoint", static s => s.DirtyPagesPerCheckpoint),
        Number("KiB on the wire per checkpoint", static s => s.KiBPerCheckpoint),
        new("CPU ms/checkpoint, both sides", static s => s.BothCpuMs, static s => $"{Short(s.PrimaryCpuMs)} + {Short(s.SecondaryCpuMs)}"),
        Number("memory of the secondary, MiB", static s => s.SecondaryMiB),
    ];

    // Of guests that do not look at the clock.
    private static readonly Figure[] s_fromOutside = [.. s_checkpoints.Where(static figure => figure.Name != GuestView)];

    private static readonly Figure s_slowdown = Number("the guest's speed lost, %", static s => s.SlowdownPercent);

    private static readonly Figure[] s_takeover =
    [
        Number("migrate to status colo, ms", static s => s.SyncMs),
        Number("migrate to first checkpoint, ms", static s => s.ProtectedMs),
        Number("longest stop until then, us", static s => s.LongestStopUs),
        Number("decision to running, ms", static s => s.DecisionToRunningMs),
        Number("kill to guest output, ms", static s => s.KillToOutputMs),
        Number("memory of the primary, MiB", static s => s.PrimaryMiB),
        Number("memory of the secondary, MiB", static s => s.SecondaryMiB),
        Number("commands to be protected again", static s => s.AgainCommands),
        Number("protected again, ms", static s => s.AgainProtectedMs),
        Number("longest stop meanwhile, us", static s => s.AgainLongestStopUs),
    ];

    private static readonly Figure[] s_echo =
    [
        new("an answer alone p50 / p99 / max, us", static s => s.SoloEchoes.P50, static s => Three(s.SoloEchoes.P50, s.SoloEchoes.P99, s.SoloEchoes.Maximum)),
        new("protected p50 / p99 / max, us", static s => s.Echoes.P50, static s => Three(s.Echoes.P50, s.Echoes.P99, s.Echoes.Maximum)),
        .. s_fromOutside,
    ];

    private static readonly Figure[] s_detection = [Number("loss of the primary to COLO_EXIT, ms", static s => s.DetectedMs)];

    public static IReadOnlyList<Figure> Of(Cell cell) => cell.End == CellEnd.Takeover ? s_takeover
        : cell.IsDetection ? s_detection
        : cell.IsEcho ? s_echo
        : cell.MeasuresSpeed ? [.. s_checkpoints, s_slowdown]
        : cell.Reports ? s_checkpoints
        : s_fromOutside;

    /// <summary>A number with about three digits, "-" for none.</summary>
    public static string Short(double value) =>
        double.IsNaN(value) ? "-" : value.ToString(Math.Abs(value) < 10 ? "0.00" : Math.Abs(value) < 100 ? "0.0" : "0", CultureInfo.InvariantCulture);

    private static Figure Number(string name, Func<Summary, double> value, bool moreIsBetter = false) =>
        new(name, value, summary => Short(value(summary)), moreIsBetter);

    private static string Three(double a, double b, double c) => $"{Short(a)} / {Short(b)} / {Short(c)}";
}
