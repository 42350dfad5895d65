using System.CommandLine;
using Kvm.Colo.Cli.Monitor;
using Kvm.Colo.Qmp.Client;

namespace Kvm.Colo.Cli.Commands;

/// <summary><c>colo-vm qmp</c>: one command, events, or a shell.</summary>
internal static class QmpCommand
{
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(20);

    public static Command Create()
    {
        Option<string> address = MonitorOption.Create();
        Option<int?> events = NumberOption.Create("--events", "N", "print the next N events");
        Option<string?> wait = new("--wait") { HelpName = "EVENT", Description = "print events until one has this name" };
        Option<int?> timeout = NumberOption.Create("--timeout", "S", "longest wait for an event or a reply, in seconds");
        Option<bool> json = new("--json") { Description = "print each answer on one line instead of indented" };
        Argument<string[]> words = new("COMMAND")
        {
            Arity = ArgumentArity.ZeroOrMore,
            Description = "a command, then its arguments as a JSON object or as NAME=VALUE words",
        };
        Command command = new("qmp", "Send a command to a VM's monitor, print its events, or open a shell.")
        {
            address, events, wait, timeout, json, words,
        };
        words.CompletionSources.Add(context => ShellWords.Complete(context.ParseResult.GetValue(words) ?? [], context.WordToComplete));
        command.SetAction(parsed =>
        {
            TimeSpan? limit = parsed.GetValue(timeout) is { } seconds
                ? seconds >= 0 && seconds <= s_longest.TotalSeconds
                    ? TimeSpan.FromSeconds(seconds)
                    : throw new UsageException($"--timeout: {seconds} is not between 0 and {s_longest.TotalSeconds:0}")
                : null;
            if (parsed.GetValue(events) is <= 0 and { } count)
                throw new UsageException($"--events: {count} is not above 0");
            CommandLineWords.Split(parsed.GetValue(words)!, out string? name, out string? arguments);
            using QmpClient client = MonitorClient.Connect(MonitorOption.Read(parsed.GetValue(address)!));
            EventPrinter printer = new(client, Console.Out);
            if (name is not null)
                Console.Out.WriteLine(JsonText.Answer(client.Execute(name, arguments, limit), parsed.GetValue(json)));
            if (parsed.GetValue(wait) is { } awaited)
                return printer.WaitFor(awaited, limit ?? s_longest);
            if (parsed.GetValue(events) is { } wanted)
                return printer.Print(wanted, limit ?? s_longest);
            return name is not null ? ExitStatus.Clean : QmpShell.Run(client, limit, parsed.GetValue(json));
        });
        return command;
    }
}
