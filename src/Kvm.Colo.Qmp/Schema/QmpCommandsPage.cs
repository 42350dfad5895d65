using System.Text;

namespace Kvm.Colo.Qmp.Schema;

/// <summary>Writes the reference page COMMANDS.md from the schema.</summary>
internal static class QmpCommandsPage
{
    private const string Intro = """
        # QMP commands and events

        Made from the schema in the code (`QmpCommandsPage`); a test fails when it is stale and writes it anew when
        `COLO_WRITE_DOCS=1` is set. What is not said here is as in QEMU's QMP specification.

        ## Limits

        | what | bound | beyond it |
        |---|---|---|
        | one request | 1 MiB without white space, 131072 tokens, 1024 open braces and brackets | one error; input is thrown away up to the end of the line |
        | requests waiting per monitor | 8 with out-of-band execution, 1 without | the monitor stops reading |
        | bytes waiting for a client | 1 MiB | events are dropped, no further request is run |
        | a client that takes nothing while its queue is full | 10 s | it is disconnected |
        | monitors | 32 | the connection is closed without a greeting |

        A client that missed events is told how many by `__org.colo-vm_EVENTS_LOST` once there is room. Unix sockets have mode
        0600; TCP listens on loopback, elsewhere only with TLS and a client certificate.

        Runs on: *loop*, the machine's control loop, in order with everything else that changes it; *monitor*, the monitor's own
        thread, at once, from a snapshot; *oob*, as *monitor*, and with `exec-oob` before requests that wait.


        """;

    public static string Write(IReadOnlyList<(string Title, IReadOnlyList<QmpCommand> Commands)> topics, QmpSchema schema)
    {
        var page = new StringBuilder(Intro);
        foreach ((string title, IReadOnlyList<QmpCommand> commands) in topics)
        {
            page.Append($"## {title}\n\n");
            if (title == Commands.QmpSchemas.Unsupported)
            {
                WriteUnsupported(page, commands);
                continue;
            }
            foreach (QmpCommand command in commands)
                WriteCommand(page, command);
        }
        page.Append("## Events\n\n");
        foreach (QmpEvent item in schema.Events)
        {
            string limit = item.IsRateLimited ? " Limited to one in a second; the last one counts." : "";
            page.Append($"### {item.Name}\n\n{item.Doc}{limit}\n\n");
            if (item.DataType is IQmpObject data)
                WriteMembers(page, "data", data.Members);
        }
        page.Append("## Types\n\n");
        foreach (QmpType type in NamedTypes(schema).OrderBy(type => type.Name, StringComparer.Ordinal))
            WriteType(page, type);
        return page.ToString().TrimEnd('\n') + "\n";
    }

    private static void WriteUnsupported(StringBuilder page, IReadOnlyList<QmpCommand> commands)
    {
        page.Append("Commands of QEMU 10.2 for features this product does not have. They are answered as QEMU answers for such a feature, ")
            .Append("GenericError \"this feature or command is not currently supported\", and carry the feature `")
            .Append(QmpSchemaText.UnsupportedFeature).Append("` in the schema.\n\n")
            .AppendJoin(", ", commands.Select(command => $"`{command.Name}`").Order(StringComparer.Ordinal)).Append("\n\n");
    }

    private static void WriteCommand(StringBuilder page, QmpCommand command)
    {
        string place = command.Thread switch
        {
            QmpCommandThread.ControlLoop => "loop",
            QmpCommandThread.OutOfBand => "oob",
            _ => "monitor",
        };
        string features = string.Join(", ", QmpSchemaText.FeatureNames(command.Features).Select(name => $"`{name}`"));
        page.Append($"### {command.Name}\n\n{command.Doc}\n\n");
        page.Append($"Returns {(command.Returns is null ? "`{}`" : TypeText(command.Returns))}. Runs on: {place}.");
        page.Append(features.Length == 0 ? "\n\n" : $" Features: {features}.\n\n");
        if (command.Arguments.Count > 0)
            WriteMembers(page, "argument", command.Arguments);
    }

    private static void WriteMembers(StringBuilder page, string title, IReadOnlyList<QmpMember> members)
    {
        page.Append($"| {title} | type | |\n|---|---|---|\n");
        foreach (QmpMember member in members)
        {
            string[] notes =
            [
                .. member.IsOptional ? ["optional"] : Array.Empty<string>(),
                .. QmpSchemaText.FeatureNames(member.Features),
                .. member.Doc.Length > 0 ? [member.Doc] : Array.Empty<string>(),
            ];
            page.Append($"| `{member.Name}` | {TypeText(member.Type)} | {string.Join("; ", notes)} |\n");
        }
        page.Append('\n');
    }

    private static void WriteType(StringBuilder page, QmpType type)
    {
        page.Append($"### {type.Name}\n\n");
        switch (type)
        {
            case IQmpEnum names:
                page.Append(string.Join(", ", names.Names.Select(name =>
                    names.Unstable.Contains(name) ? $"`{name}` (unstable)" : $"`{name}`"))).Append("\n\n");
                break;
            case IQmpObject shape:
                if (shape.Members.Count > 0)
                    WriteMembers(page, "member", shape.Members);
                foreach (QmpBranch branch in shape.Branches)
                {
                    page.Append($"With `{shape.Tag!.Name}` = `{branch.Case}`: also the members of ")
                        .Append(TypeText((QmpType)branch.Type)).Append(".\n\n");
                }
                break;
            default:
                page.Append("A string, or null for the default.\n\n");
                break;
        }
    }

    private static string TypeText(QmpType type) => type switch
    {
        IQmpList list => $"list of {TypeText(list.ElementType)}",
        { IsBuiltin: true } => type.Name,
        _ => $"[{type.Name}](#{type.Name.ToLowerInvariant().Replace(".", "", StringComparison.Ordinal)})",
    };

    private static List<QmpType> NamedTypes(QmpSchema schema)
    {
        var found = new List<QmpType>();
        foreach (QmpCommand command in schema.Commands)
        {
            foreach (QmpMember member in command.Arguments)
                Collect(member.Type, found);
            if (command.Returns is not null)
                Collect(command.Returns, found);
        }
        foreach (QmpEvent item in schema.Events)
        {
            foreach (QmpMember member in (item.DataType as IQmpObject)?.Members ?? [])
                Collect(member.Type, found);
        }
        return found;
    }

    private static void Collect(QmpType type, List<QmpType> found)
    {
        if (type is IQmpList list)
        {
            Collect(list.ElementType, found);
            return;
        }
        if (type.IsBuiltin || found.Exists(known => known.Name == type.Name))
            return;
        found.Add(type);
        if (type is not IQmpObject shape)
            return;
        foreach (QmpMember member in shape.Members)
            Collect(member.Type, found);
        foreach (QmpBranch branch in shape.Branches)
            Collect((QmpType)branch.Type, found);
    }
}
