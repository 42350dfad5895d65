using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Client;

namespace Kvm.Colo.Cli.Monitor;

/// <summary>Commands line by line: from a pipe, or from a person on a terminal.</summary>
internal static class QmpShell
{
    /// <summary>Runs until the input ends. From a pipe the first failure decides the exit status; all lines are run.</summary>
    public static int Run(QmpClient client, TimeSpan? limit)
    {
        int status = ExitStatus.Clean;
        while (Console.In.ReadLine() is { } line)
        {
            if (line.Trim() is { Length: > 0 } text && !text.StartsWith('#') && !Execute(client, text, limit) && status == ExitStatus.Clean)
                status = ExitStatus.Failed;
        }

        return status;
    }

    /// <summary>Runs one line and prints its result; false when it failed.</summary>
    /// <exception cref="QmpConnectionException">The monitor is gone.</exception>
    public static bool Execute(QmpClient client, string line, TimeSpan? limit)
    {
        try
        {
            CommandLineWords.Split(CommandLineWords.SplitLine(line), out string? name, out string? arguments);
            if (name is not null)
                Console.Out.WriteLine(JsonText.Pretty(client.Execute(name, arguments, limit)));
            return true;
        }
        catch (Exception e) when (e is QmpCommandException or UsageException or TimeoutException)
        {
            Terminal.Messages.Line(e.Message);
            return false;
        }
    }
}
