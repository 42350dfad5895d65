using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Kvm.Colo.Cli.Commands;

/// <summary>The library's help page, followed by examples.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    public override bool Terminating => true;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        int status = help.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output.WriteLine(Examples(parseResult.CommandResult.Command.Name));
        return status;
    }

    private static string Examples(string command) => command switch
    {
        "run" => """
            Examples:
              A guest on this terminal; Ctrl-A x ends it:
                colo-vm run --kernel hello.elf --memory 64M --serial stdio
              The same guest, protected by a second host:
                hostb$ colo-vm run --kernel guest.elf --memory 256M --secondary tcp:0.0.0.0:4444 --qmp unix:/run/guest.qmp
                hosta$ colo-vm run --kernel guest.elf --memory 256M --primary tcp:hostb:4444 --checkpoint-delay 100
              When host A has died, on host B:
                colo-vm qmp --qmp unix:/run/guest.qmp x-colo-lost-heartbeat

            """,
        "qmp" => """
            Examples:
              colo-vm qmp --qmp unix:/run/guest.qmp query-status
              colo-vm qmp --qmp unix:/run/guest.qmp migrate-set-parameters '{"x-checkpoint-delay": 100}'
              colo-vm qmp --qmp unix:/run/guest.qmp --wait COLO_EXIT --timeout 60
              colo-vm qmp --qmp unix:/run/guest.qmp              (a shell, when on a terminal)

            """,
        "status" or "top" => """
            Examples:
              colo-vm top --qmp unix:/run/primary.qmp --qmp tcp:hostb:5555,tls=/etc/colo-vm/tls
              colo-vm top --qmp unix:/run/guest.qmp --json --interval 100

            """,
        "colo-vm" => """
            Examples:
              colo-vm check
              colo-vm run --kernel guest.elf --memory 256M --serial stdio --qmp unix:/tmp/guest.qmp
              colo-vm status --qmp unix:/tmp/guest.qmp

            """,
        _ => "",
    };
}
