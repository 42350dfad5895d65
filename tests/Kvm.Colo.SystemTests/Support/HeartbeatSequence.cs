using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>The numbered lines of the heartbeat guest.</summary>
internal static partial class HeartbeatSequence
{
    /// <summary>
    /// Asserts that no number is missing or doubled and none comes early, and returns the last. On a busy host a line may come late: the
    /// guest's ticks go on while it waits for the processor to print.
    /// </summary>
    public static long AssertUnbroken(string console, int periodMs)
    {
        long last = 0;
        foreach (Match match in Line().Matches(console))
        {
            long number = long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
            if (last != 0)
                Assert.Equal(last + 1, number);
            Assert.InRange(long.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture), (number - 1) * periodMs, long.MaxValue);
            last = number;
        }

        return last;
    }

    [GeneratedRegex(@"^heartbeat (\d+) t=(\d+)\r$", RegexOptions.Multiline, 10_000)]
    private static partial Regex Line();
}
