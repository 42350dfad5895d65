namespace Kvm.Colo.Qmp.Schema;

/// <summary>What a shell offers while a line <c>COMMAND {"argument": value}</c> is being typed. Pure.</summary>
internal sealed class QmpCompletion(QmpSchema schema)
{
    /// <summary>
    /// What may stand in place of the last word of the line, so far typed: command names first, then <c>"argument": </c>, and
    /// after a colon the values of an enum or a bool.
    /// </summary>
    /// <param name="line">The line up to the cursor.</param>
    /// <param name="wordStart">Where the word begins that the offers replace.</param>
    public IReadOnlyList<string> Complete(string line, out int wordStart)
    {
        int space = line.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0)
        {
            wordStart = 0;
            IEnumerable<string> names = schema.Commands
                .Where(static command => (command.Features & QmpFeatures.Unsupported) == 0).Select(static command => command.Name);
            return [.. names.Where(name => name.StartsWith(line, StringComparison.Ordinal)).Order()];
        }

        wordStart = line.LastIndexOfAny([' ', '{', ',', ':', '[']) + 1;
        string word = line[wordStart..];
        if (schema.Find(line[..space]) is not { } command)
            return [];
        string before = line[..wordStart].TrimEnd();
        IEnumerable<string> offers = before.EndsWith(':')
            ? Values(command, before)
            : Members(command.Arguments).Select(member => $"\"{member.Name}\": ");
        return [.. offers.Where(offer => offer.StartsWith(word, StringComparison.Ordinal)).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>The arguments of a command with those of objects inside them, for a one-line help.</summary>
    public IReadOnlyList<QmpMember> ArgumentsOf(string command) => schema.Find(command)?.Arguments ?? [];

    private static IEnumerable<string> Values(QmpCommand command, string before)
    {
        string[] parts = before.TrimEnd(':').TrimEnd().Split('"');
        string name = parts.Length >= 2 ? parts[^2] : "";
        QmpMember? member = Members(command.Arguments).FirstOrDefault(found => found.Name == name);
        return member?.Type switch
        {
            IQmpEnum names => names.Names.Select(value => $"\"{value}\""),
            { Name: "bool" } => ["true", "false"],
            _ => [],
        };
    }

    private static IEnumerable<QmpMember> Members(IReadOnlyList<QmpMember> members)
    {
        foreach (QmpMember member in members)
        {
            yield return member;
            QmpType type = member.Type is IQmpList list ? list.ElementType : member.Type;
            if (type is not IQmpObject shape)
                continue;
            IEnumerable<QmpMember> inBranches = shape.Branches.SelectMany(branch => Members(branch.Type.Members));
            foreach (QmpMember inner in Members(shape.Members).Concat(inBranches))
                yield return inner;
        }
    }
}
