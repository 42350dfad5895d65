using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Kvm.Colo.Cli.Terminal;

namespace Kvm.Colo.Cli.Commands;

/// <summary>The root of the command line.</summary>
internal static class ColoVm
{
    private static readonly InvocationConfiguration s_invocation = new() { EnableDefaultExceptionHandler = false };

    public static int Run(string[] arguments)
    {
        try
        {
            ParseResult parsed = CreateRoot().Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (parsed.Action is not ParseErrorAction)
                return parsed.Invoke(s_invocation);
            string problem = parsed.UnmatchedTokens is [var word, ..]
                ? $"'{word}' is no command or option"
                : Failure.OneLine(parsed.Errors[0].Message.TrimEnd('.'));
            Messages.Line($"{problem} (see {NameOf(parsed.CommandResult.Command)} --help)");
            return ExitStatus.WrongUsage;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    private static RootCommand CreateRoot()
    {
        RootCommand root = new("Runs virtual machines on KVM that outlive the host they run on.")
        {
            new RunCommand().Command,
            CheckCommand.Create(),
            StatusCommand.Create(),
            TopCommand.Create(),
            QmpCommand.Create(),
            CompletionCommand.Create(),
        };
        foreach (Option option in root.Options)
        {
            if (option is HelpOption { Action: HelpAction help })
                option.Action = new HelpWithExamples(help);
            else if (option is VersionOption)
                option.Action = new PrintVersion();
        }

        return root;
    }

    private static string NameOf(Command command) => command is RootCommand ? "colo-vm" : $"colo-vm {command.Name}";
}
