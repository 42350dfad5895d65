namespace Kvm.Colo.Cli.Options;

/// <summary>A list such as <c>file=PATH,format=raw,readonly=on</c>; two commas in a value stand for one.</summary>
internal static class PropertyList
{
    /// <summary>Splits a list; a first item without a name gets <paramref name="firstName"/>.</summary>
    /// <param name="option">The option it belongs to, for messages.</param>
    /// <param name="text">The list.</param>
    /// <param name="firstName">Name of a first item that has none, null when every item needs one.</param>
    /// <param name="known">The names there are.</param>
    /// <exception cref="UsageException">A name is missing, unknown or given twice.</exception>
    public static IReadOnlyDictionary<string, string> Parse(
        string option, string text, string? firstName, params ReadOnlySpan<string> known)
    {
        Dictionary<string, string> found = new(StringComparer.Ordinal);
        string[] items = text.Replace(",,", "\0", StringComparison.Ordinal).Split(',');
        for (int i = 0; i < items.Length; i++)
        {
            string item = items[i].Replace('\0', ',');
            int equals = item.IndexOf('=', StringComparison.Ordinal);
            string? name = equals >= 0 ? item[..equals] : i == 0 ? firstName : null;
            if (name is null || item.Length == 0)
                throw new UsageException($"{option} {text}: '{item}' is not NAME=VALUE");
            if (!known.Contains(name))
                throw new UsageException($"{option} {text}: there is no property '{name}' (use {string.Join(", ", known)})");
            if (!found.TryAdd(name, item[(equals + 1)..]))
                throw new UsageException($"{option} {text}: '{name}' is given twice");
        }

        return found;
    }
}
