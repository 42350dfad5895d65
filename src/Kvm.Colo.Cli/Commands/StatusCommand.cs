using System.CommandLine;
using Kvm.Colo.Cli.Monitor;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Client;

namespace Kvm.Colo.Cli.Commands;

/// <summary><c>colo-vm status</c>: one look at a VM or a pair.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        Option<string[]> addresses = MonitorOption.CreateMany();
        Option<bool> json = new("--json") { Description = "print a JSON object for each VM" };
        Command command = new("status", "One look at a VM or a pair.") { addresses, json };
        command.SetAction(parsed =>
        {
            QmpAddress[] wanted = [.. parsed.GetValue(addresses)!.Select(MonitorOption.Read)];
            foreach (QmpAddress address in wanted)
            {
                using QmpClient client = MonitorClient.Connect(address);
                VmStatus status = VmStatus.Read(client);
                if (parsed.GetValue(json))
                    Console.Out.WriteLine(status.ToJson());
                else
                    Print(status, wanted.Length > 1 ? address : null);
            }

            return ExitStatus.Clean;
        });
        return command;
    }

    private static void Print(VmStatus status, QmpAddress? address)
    {
        if (address is not null)
            Console.Out.WriteLine($"{"monitor",-12} {address}");
        foreach ((string name, string value) in StatusLines.Describe(status))
            Console.Out.WriteLine($"{name,-12} {value}");
    }
}
