using System.CommandLine;
using Kvm.Colo.Qmp;

namespace Kvm.Colo.Cli.Commands;

/// <summary>The option that names a VM's monitor, for the commands that talk to one.</summary>
internal static class MonitorOption
{
    public static Option<string> Create() => new("--qmp")
    {
        HelpName = "ADDRESS",
        Description = "the VM's monitor: unix:PATH or tcp:HOST:PORT",
        Required = true,
    };

    /// <summary>Reads the option.</summary>
    /// <exception cref="UsageException">It is no address.</exception>
    public static QmpAddress Read(string text) => QmpAddress.TryParse(text, out QmpAddress address, out string problem)
        ? address
        : throw new UsageException($"--qmp: {problem}");
}
