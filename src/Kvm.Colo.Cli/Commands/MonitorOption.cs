using System.CommandLine;
using Kvm.Colo.Qmp;

namespace Kvm.Colo.Cli.Commands;

/// <summary>The option that names a VM's monitor, for the commands that talk to one or to both of a pair.</summary>
internal static class MonitorOption
{
    private const string What = "unix:PATH or tcp:HOST:PORT[,tls=FOLDER]";

    public static Option<string> Create() => new("--qmp")
    {
        HelpName = "ADDRESS",
        Description = $"the VM's monitor: {What}",
        Required = true,
    };

    /// <summary>For one or more monitors.</summary>
    public static Option<string[]> CreateMany() => new("--qmp")
    {
        HelpName = "ADDRESS",
        Description = $"a VM's monitor: {What}; once more for the other side of a pair",
        Required = true,
    };

    /// <summary>Reads the option.</summary>
    /// <exception cref="UsageException">It is no address.</exception>
    public static QmpAddress Read(string text) => QmpAddress.TryParse(text, out QmpAddress address, out string problem)
        ? address
        : throw new UsageException($"--qmp: {problem}");
}
