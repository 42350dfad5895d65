using System.CommandLine;
using Kvm.Colo.Cli.Monitor;
using Kvm.Colo.Qmp.Client;

namespace Kvm.Colo.Cli.Commands;

/// <summary><c>colo-vm top</c>: a VM or a pair, live.</summary>
internal static class TopCommand
{
    private const int MinIntervalMs = 50;
    private const int MaxIntervalMs = 3_600_000;

    public static Command Create()
    {
        Option<string> address = MonitorOption.Create();
        Option<int?> interval = NumberOption.Create("--interval", "MS", "time between two looks [1000]");
        Option<int?> count = NumberOption.Create("--count", "N", "end after N looks");
        Command command = new("top", "Watch a VM or one side of a pair until Ctrl-C.") { address, interval, count };
        command.SetAction(parsed =>
        {
            int milliseconds = parsed.GetValue(interval) ?? 1000;
            if (milliseconds is < MinIntervalMs or > MaxIntervalMs)
                throw new UsageException($"--interval: {milliseconds} is not between {MinIntervalMs} and {MaxIntervalMs}");
            if (parsed.GetValue(count) is <= 0 and { } looks)
                throw new UsageException($"--count: {looks} is not above 0");
            using QmpClient client = MonitorClient.Connect(MonitorOption.Read(parsed.GetValue(address)!));
            using TopView view = new(client, TimeSpan.FromMilliseconds(milliseconds), parsed.GetValue(count));
            return view.Run();
        });
        return command;
    }
}
