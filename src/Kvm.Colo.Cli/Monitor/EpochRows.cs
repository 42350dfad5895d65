using System.Text.Json;

namespace Kvm.Colo.Cli.Monitor;

/// <summary>The epochs of <c>query-colo-statistics</c> as rows for people, the newest first; "-" is what this side does not know.</summary>
internal static class EpochRows
{
    public static IReadOnlyList<string> Columns { get; } =
        ["epoch", "cause", "dirty", "identical", "delta", "full", "zero", "sent", "pause", "commit", "apply", "skew"];

    public static IReadOnlyList<string[]> From(JsonElement statistics, int limit)
    {
        if (statistics.ValueKind != JsonValueKind.Object || !statistics.TryGetProperty("recent", out JsonElement recent)
            || recent.ValueKind != JsonValueKind.Array)
        {
            return [];
        }

        return [.. recent.EnumerateArray().Reverse().Take(limit).Select(Row)];
    }

    private static string[] Row(JsonElement epoch) =>
    [
        Number(epoch, "epoch"),
        epoch.TryGetProperty("cause", out JsonElement cause) ? cause.GetString() ?? "-" : "-",
        Number(epoch, "dirty-pages"),
        Number(epoch, "identical-pages"),
        Number(epoch, "delta-pages"),
        Number(epoch, "full-pages"),
        Number(epoch, "zero-pages"),
        Value(epoch, "transferred") is { } bytes ? Units.Bytes(bytes) : "-",
        Time(epoch, "pause-us"),
        Time(epoch, "commit-us"),
        Time(epoch, "apply-us"),
        Time(epoch, "skew-us"),
    ];

    private static string Number(JsonElement epoch, string name) => Value(epoch, name) is { } number ? $"{number}" : "-";

    private static string Time(JsonElement epoch, string name) =>
        Value(epoch, name) is { } us ? (us < 0 ? "-" : "") + Units.Duration(TimeSpan.FromMicroseconds(Math.Abs((double)us))) : "-";

    private static long? Value(JsonElement epoch, string name) =>
        epoch.TryGetProperty(name, out JsonElement value) && value.TryGetInt64(out long number) ? number : null;
}
