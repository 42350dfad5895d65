using System.CommandLine;
using Kvm.Colo.Cli.Monitor;
using Kvm.Colo.Qmp.Client;

namespace Kvm.Colo.Cli.Commands;

/// <summary><c>colo-vm status</c>: one look at a VM or a pair.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        Option<string> address = MonitorOption.Create();
        Option<bool> json = new("--json") { Description = "print one JSON object" };
        Command command = new("status", "One look at a VM or one side of a pair.") { address, json };
        command.SetAction(parsed =>
        {
            using QmpClient client = MonitorClient.Connect(MonitorOption.Read(parsed.GetValue(address)!));
            VmStatus status = VmStatus.Read(client);
            if (parsed.GetValue(json))
                Console.Out.WriteLine(status.ToJson());
            else
                Print(status);
            return ExitStatus.Clean;
        });
        return command;
    }

    private static void Print(VmStatus status)
    {
        foreach ((string name, string value) in StatusLines.Describe(status))
            Console.Out.WriteLine($"{name,-12} {value}");
    }
}
