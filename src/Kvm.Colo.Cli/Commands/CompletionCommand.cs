using System.CommandLine;

namespace Kvm.Colo.Cli.Commands;

/// <summary>
/// <c>colo-vm completion</c>: a script for the shell, which asks this program itself what may stand at the cursor, so that options and
/// the monitor's commands are always those of the program.
/// </summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _colo_vm()
        {
            local word=${COMP_LINE:0:$COMP_POINT}
            word=${word##*[[:space:]]}
            local part=${word%"${word##*[:=]}"}
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2> /dev/null)" -- "$word"))
            COMPREPLY=("${COMPREPLY[@]#"$part"}")
            [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace
        }
        complete -o default -F _colo_vm colo-vm
        """;

    private const string Zsh = """
        #compdef colo-vm
        _colo_vm()
        {
            local -a offers=("${(@f)$("$words[1]" "[suggest:$CURSOR]" "$BUFFER" 2> /dev/null)}")
            compadd -Q -S '' -- $offers
        }
        compdef _colo_vm colo-vm
        """;

    private const string Fish = """
        function __colo_vm_complete
            set -l line (commandline -cp)
            colo-vm "[suggest:"(string length -- $line)"]" "$line" 2> /dev/null
        end
        complete -c colo-vm -f -a '(__colo_vm_complete)'
        """;

    public static Command Create()
    {
        Argument<string> shell = new("SHELL") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        Command command = new("completion", "Print a completion script: source <(colo-vm completion bash)") { shell };
        command.SetAction(parsed =>
        {
            Console.Out.WriteLine(parsed.GetValue(shell) switch { "zsh" => Zsh, "fish" => Fish, _ => Bash });
            return ExitStatus.Clean;
        });
        return command;
    }
}
