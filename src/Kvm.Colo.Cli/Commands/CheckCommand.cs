using System.Buffers;
using System.CommandLine;
using System.Text;
using System.Text.Json;
using Kvm.Colo.Cli.Check;
using Kvm.Colo.Cli.Monitor;

namespace Kvm.Colo.Cli.Commands;

/// <summary><c>colo-vm check</c>: what this host can and cannot do.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        Option<bool> json = new("--json") { Description = "print a JSON array" };
        Command command = new("check",
            "Say what this host can and cannot do; exit status 0 when VMs can run, 3 when not.") { json };
        command.SetAction(parsed => Run(parsed.GetValue(json)));
        return command;
    }

    private static int Run(bool asJson)
    {
        IReadOnlyList<CheckFact> facts = HostCheck.Run();
        if (asJson)
            Console.Out.WriteLine(ToJson(facts));
        else
            Print(facts);
        return facts.Any(static fact => fact.Level == CheckLevel.Fail) ? ExitStatus.HostCannot : ExitStatus.Clean;
    }

    private static void Print(IReadOnlyList<CheckFact> facts)
    {
        int width = facts.Max(static fact => fact.Name.Length);
        foreach (CheckFact fact in facts)
        {
            string remedy = fact.Remedy is null ? "" : $" ({fact.Remedy})";
            Console.Out.WriteLine($"{NameOf(fact.Level),-4}  {fact.Name.PadRight(width)}  {fact.Finding}{remedy}");
        }
    }

    private static string ToJson(IReadOnlyList<CheckFact> facts)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer, JsonText.PrettyOptions))
        {
            writer.WriteStartArray();
            foreach (CheckFact fact in facts)
            {
                writer.WriteStartObject();
                writer.WriteString("name"u8, fact.Name);
                writer.WriteString("level"u8, NameOf(fact.Level));
                writer.WriteString("finding"u8, fact.Finding);
                if (fact.Remedy is not null)
                    writer.WriteString("remedy"u8, fact.Remedy);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static string NameOf(CheckLevel level) => level switch
    {
        CheckLevel.Ok => "ok",
        CheckLevel.Warn => "warn",
        _ => "fail",
    };
}
