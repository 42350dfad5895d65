using System.CommandLine;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>The load gate alone, for measurements that scripts drive.</summary>
internal static class GateCommand
{
    public static Command CreateCommand()
    {
        Option<bool> force = new("--force") { Description = "only tell, do not refuse" };
        Command command = new("gate", "exit status 1 when this machine is too busy to measure on") { force };
        command.SetAction(parsed => LoadGate.Pass(parsed.GetValue(force)) ? 0 : 1);
        return command;
    }
}
