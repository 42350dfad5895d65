using System.CommandLine;
using Kvm.Colo.Cli.Monitor;
using Kvm.Colo.Qmp;

namespace Kvm.Colo.Cli.Commands;

/// <summary><c>colo-vm top</c>: a VM or a pair, live.</summary>
internal static class TopCommand
{
    private const int MinIntervalMs = 50;
    private const int MaxIntervalMs = 3_600_000;

    public static Command Create()
    {
        Option<string[]> addresses = MonitorOption.CreateMany();
        Option<int?> interval = NumberOption.Create("--interval", "MS", "time between two looks [1000]");
        Option<int?> count = NumberOption.Create("--count", "N", "end after N looks");
        Option<bool> json = new("--json") { Description = "print a JSON object on a line for each VM and look" };
        Command command = new("top", "Watch a VM or a pair until Ctrl-C.") { addresses, interval, count, json };
        command.SetAction(parsed =>
        {
            int milliseconds = parsed.GetValue(interval) ?? 1000;
            if (milliseconds is < MinIntervalMs or > MaxIntervalMs)
                throw new UsageException($"--interval: {milliseconds} is not between {MinIntervalMs} and {MaxIntervalMs}");
            if (parsed.GetValue(count) is <= 0 and { } looks)
                throw new UsageException($"--count: {looks} is not above 0");
            QmpAddress[] wanted = [.. parsed.GetValue(addresses)!.Select(MonitorOption.Read)];
            using TopView view = new(wanted, TimeSpan.FromMilliseconds(milliseconds), parsed.GetValue(count), parsed.GetValue(json));
            return view.Run();
        });
        return command;
    }
}
