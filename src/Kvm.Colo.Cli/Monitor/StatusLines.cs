namespace Kvm.Colo.Cli.Monitor;

/// <summary>What <c>status</c> prints and <c>top</c> shows: names and values.</summary>
internal static class StatusLines
{
    /// <summary>Describes a VM; with an earlier look at it, rates too.</summary>
    public static IReadOnlyList<(string Name, string Value)> Describe(
        VmStatus now, VmStatus? before = null, TimeSpan elapsed = default)
    {
        List<(string, string)> lines =
        [
            ("name", now.Name.Length > 0 ? now.Name : "-"),
            ("guest", now.RunState),
            ("migration", Migration(now)),
            ("colo", Colo(now)),
        ];
        if (now.Mode == "none" && now.Checkpoints == 0)
            return lines;
        lines.Add(("epoch", $"{now.Epoch}"));
        lines.Add(("checkpoints", $"{now.Checkpoints}{Rate(now.Checkpoints, before?.Checkpoints, elapsed)}"));
        lines.Add(("dirty pages",
            $"{now.DirtyPages}, {now.LastDirtyPages} in the last epoch, {now.IdenticalPages} identical on both sides"));
        lines.Add(("transferred", $"{Units.Bytes(now.Bytes)}{ByteRate(now.Bytes, before?.Bytes, elapsed)}"));
        if (now.Throttle > 0)
            lines.Add(("throttle", $"{now.Throttle} %, the link or the secondary does not keep up"));
        foreach (string what in (ReadOnlySpan<string>)["pause", "commit", "apply"])
        {
            if (now.Time(what, "p50-ns") is { } median)
                lines.Add((what, $"p50 {Units.Duration(median)}, p99 {Units.Duration(now.Time(what, "p99-ns"))}"));
        }

        return lines;
    }

    /// <summary>The same in one line, for <c>top</c> where there is no terminal.</summary>
    public static string OneLine(VmStatus now, VmStatus? before, TimeSpan elapsed) => string.Join("  ",
        Describe(now, before, elapsed).Select(static line => $"{line.Name.Replace(' ', '-')}: {line.Value}"));

    private static string Migration(VmStatus now) => now switch
    {
        { Migration: null } => "none",
        { MigrationError: { } error } => $"{now.Migration}: {error}",
        { Migration: "active", Percent: { } percent } => $"active, {percent:0} % of the memory",
        _ => now.Migration,
    };

    private static string Colo(VmStatus now) => now switch
    {
        { Mode: "none", LastMode: "none" } => "none",
        { Mode: "none" } => $"none, was {now.LastMode}, left for {now.Reason}",
        { Reason: "none" } => now.Mode,
        _ => $"{now.Mode}, the other side is lost: {now.Reason}",
    };

    private static string Rate(ulong now, ulong? before, TimeSpan elapsed) =>
        before is { } earlier && elapsed > TimeSpan.Zero && now >= earlier
            ? $", {(now - earlier) / elapsed.TotalSeconds:0.0}/s"
            : "";

    private static string ByteRate(ulong now, ulong? before, TimeSpan elapsed) =>
        before is { } earlier && elapsed > TimeSpan.Zero && now >= earlier
        ? $", {Units.Bytes((now - earlier) / elapsed.TotalSeconds)}/s"
        : "";
}
