using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>The numbered lines of the heartbeat guest.</summary>
internal static partial class HeartbeatSequence
{
    /// <summary>Asserts that no number is missing, doubled or late in the guest's own time, and returns the last.</summary>
    public static long AssertUnbroken(string console, int periodMs)
    {
        long last = 0;
        foreach (Match match in Line().Matches(console))
        {
            long number = long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
            if (last != 0)
                Assert.Equal(last + 1, number);
            Assert.Equal((number - 1) * periodMs, long.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture));
            last = number;
        }

        return last;
    }

    [GeneratedRegex(@"^heartbeat (\d+) t=(\d+)\r$", RegexOptions.Multiline, 10_000)]
    private static partial Regex Line();
}
