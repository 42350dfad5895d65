using System.Globalization;

namespace Kvm.Colo.Benchmarks.Pair;

/// <summary>A measurement's words of the command line: NAME=VALUE each.</summary>
internal sealed class NamedWords(string[] arguments)
{
    private readonly Dictionary<string, string> _values =
        arguments.Select(static a => a.Split('=', 2)).ToDictionary(static p => p[0], static p => p.Length > 1 ? p[1] : "");

    public string Text(string name, string fallback) => _values.GetValueOrDefault(name, fallback);

    public int Number(string name, int fallback) =>
        _values.TryGetValue(name, out string? text) ? int.Parse(text, CultureInfo.InvariantCulture) : fallback;
}
