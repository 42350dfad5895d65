using Kvm.Colo.Qmp.Schema;

namespace Kvm.Colo.Cli.Monitor;

/// <summary>What Tab offers in both spellings of arguments: <c>name {json}</c> and <c>name key=value</c>. Pure.</summary>
internal sealed class ShellCompletion(QmpSchema schema)
{
    private readonly QmpCompletion _json = new(schema);

    /// <summary>What may stand from <paramref name="start"/> to the cursor.</summary>
    /// <param name="line">The line up to the cursor.</param>
    /// <param name="start">Where the word begins that the offers replace.</param>
    public IReadOnlyList<string> Complete(string line, out int start)
    {
        int space = line.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0 || line.Contains('{', StringComparison.Ordinal))
            return _json.Complete(line, out start);
        start = line.LastIndexOf(' ') + 1;
        string word = line[start..];
        return [.. _json.ArgumentsOf(line[..space]).SelectMany(member => Offers(member, word))
            .Where(offer => offer.StartsWith(word, StringComparison.Ordinal))];
    }

    private static IEnumerable<string> Offers(QmpMember member, string word)
    {
        if (!word.StartsWith(member.Name + "=", StringComparison.Ordinal))
            return [member.Name + "="];
        IEnumerable<string> values = member.Type switch
        {
            IQmpEnum names => names.Names,
            { Name: "bool" } => ["on", "off"],
            _ => [],
        };
        return values.Select(value => $"{member.Name}={value}");
    }

    /// <summary>The longest beginning all offers share.</summary>
    public static string CommonPrefix(IReadOnlyList<string> offers)
    {
        if (offers.Count == 0)
            return "";
        int length = offers[0].Length;
        foreach (string offer in offers)
            length = Math.Min(length, offers[0].AsSpan().CommonPrefixLength(offer));
        return offers[0][..length];
    }
}
