using System.Globalization;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>How fast the guest <c>dirty</c> works, by its lines <c>dirty pass N pages TOTAL t=MS</c> and the host's clock: the guest's own may stop.</summary>
internal static class GuestSpeed
{
    /// <summary>Pages written in a second between the first line and the last; NaN with fewer than two.</summary>
    public static double PagesPerSecond(IEnumerable<(double TimeUs, string Text)> lines)
    {
        List<(double TimeUs, double Pages)> totals = Totals(lines);
        return totals is [{ } first, .., { } last] && last.TimeUs > first.TimeUs
            ? (last.Pages - first.Pages) / (last.TimeUs - first.TimeUs) * 1e6
            : double.NaN;
    }

    /// <summary>
    /// What makes a guest's figures worthless, or null: it began anew, or did nothing for most of the time. Seen in emulated hosts, under
    /// QEMU's COLO and ours (tests/Kvm.Colo.Benchmarks/README.md).
    /// </summary>
    /// <param name="lines">What it said in the window.</param>
    /// <param name="seconds">Length of the window.</param>
    public static string? Fault(IReadOnlyList<(double TimeUs, string Text)> lines, double seconds)
    {
        List<(double TimeUs, double Pages)> totals = Totals(lines);
        for (int i = 1; i < totals.Count; i++)
        {
            if (totals[i].Pages < totals[i - 1].Pages)
                return "the guest began anew";
        }

        double spoke = totals.Count < 2 ? 0 : (totals[^1].TimeUs - totals[0].TimeUs) / 1e6;
        return spoke < seconds / 4 ? $"the guest stood still: {totals.Count} reports in {seconds:0} s" : null;
    }

    private static List<(double TimeUs, double Pages)> Totals(IEnumerable<(double TimeUs, string Text)> lines)
    {
        List<(double TimeUs, double Pages)> totals = [];
        foreach ((double time, string line) in lines)
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["dirty", "pass", _, "pages", { } text, ..] && double.TryParse(text, CultureInfo.InvariantCulture, out double pages))
                totals.Add((time, pages));
        }

        return totals;
    }
}
