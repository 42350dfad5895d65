using System.Globalization;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>How fast the guest <c>dirty</c> works, by its lines <c>dirty pass N pages TOTAL t=MS</c> and the host's clock: the guest's own may stop.</summary>
internal static class GuestSpeed
{
    /// <summary>Pages written in a second between the first line and the last; NaN with fewer than two.</summary>
    public static double PagesPerSecond(IEnumerable<(double TimeUs, string Text)> lines)
    {
        (double TimeUs, double Pages)? first = null;
        (double TimeUs, double Pages)? last = null;
        foreach ((double time, string line) in lines)
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is not ["dirty", "pass", _, "pages", { } text, ..] || !double.TryParse(text, CultureInfo.InvariantCulture, out double pages))
                continue;
            first ??= (time, pages);
            last = (time, pages);
        }

        return first is { } from && last is { } to && to.TimeUs > from.TimeUs
            ? (to.Pages - from.Pages) / (to.TimeUs - from.TimeUs) * 1e6
            : double.NaN;
    }
}
