using System.CommandLine;
using System.CommandLine.Invocation;

namespace Kvm.Colo.Cli.Commands;

/// <summary>Prints the product's name and version.</summary>
internal sealed class PrintVersion : SynchronousCommandLineAction
{
    public override bool Terminating => true;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        parseResult.InvocationConfiguration.Output.WriteLine($"colo-vm {ProductVersion.Text}");
        return ExitStatus.Clean;
    }
}
