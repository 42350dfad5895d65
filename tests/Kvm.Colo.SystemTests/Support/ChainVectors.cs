using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>Digests the chain guest must print: they depend on its options alone, so one undisturbed machine tells them all.</summary>
internal sealed partial class ChainVectors
{
    private static readonly ConcurrentDictionary<string, ChainVectors> s_known = new(StringComparer.Ordinal);

    private readonly string _append;
    private readonly Lock _lock = new();
    private readonly Dictionary<long, string> _digests = [];

    private ChainVectors(string append) => _append = append;

    /// <summary>The vectors of this command line, computed on demand and kept.</summary>
    public static ChainVectors For(string append) => s_known.GetOrAdd(append, static text => new ChainVectors(text));

    /// <summary>Asserts that a console shows an unbroken chain: every digest right, no report missing between its first and last.</summary>
    /// <returns>The number of reports seen.</returns>
    public int AssertUnbroken(string console)
    {
        (long Link, string Digest)[] seen = Reports(console, _append);
        if (seen.Length == 0)
            return 0;
        Dictionary<long, string> known = UpTo(seen[^1].Link);
        foreach ((long link, string digest) in seen)
            Assert.Equal($"{link} {known[link]}", $"{link} {digest}");
        return seen.Length;
    }

    /// <summary>As <see cref="AssertUnbroken"/>, but for the digests, which the guest checks itself: for chains too long to compute twice.</summary>
    public static int AssertConsecutive(string console, string append) => Reports(console, append).Length;

    private static (long Link, string Digest)[] Reports(string console, string append)
    {
        Assert.DoesNotContain("BROKEN", console, StringComparison.Ordinal);
        Assert.DoesNotContain("TRAP", console, StringComparison.Ordinal);
        (long Link, string Digest)[] seen = [.. Report().Matches(console)
            .Select(static m => (long.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture), m.Groups[2].Value))];
        long step = StepOf(append);
        for (int i = 1; i < seen.Length; i++)
            Assert.True(seen[i - 1].Link + step == seen[i].Link, $"{seen[i].Link} follows {seen[i - 1].Link}:\n{console[^Math.Min(console.Length, 3000)..]}");
        return seen;
    }

    private static long StepOf(string append)
    {
        Match match = Step().Match(append);
        return match.Success ? long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 1_000_000;
    }

    private Dictionary<long, string> UpTo(long link)
    {
        lock (_lock)
        {
            if (_digests.ContainsKey(link))
                return _digests;
            long wanted = link + (link / 2);
            using TestMachine vm = new("chain.elf", _append);
            vm.Machine.Start();
            string text = vm.Console.WaitFor(all => Report().Matches(all).LastOrDefault() is { } last
                && long.Parse(last.Groups[1].Value, CultureInfo.InvariantCulture) >= wanted, $"link {wanted}", seconds: 120);
            foreach (Match match in Report().Matches(text))
                _digests[long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)] = match.Groups[2].Value;
            return _digests;
        }
    }

    [GeneratedRegex(@"^chain (\d+) ok ([0-9a-f]{16})\r$", RegexOptions.Multiline, 10_000)]
    private static partial Regex Report();

    [GeneratedRegex(@"report=(\d+)", RegexOptions.None, 10_000)]
    private static partial Regex Step();
}
