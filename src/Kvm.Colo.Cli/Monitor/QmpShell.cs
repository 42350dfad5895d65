using System.Text.Json;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Client;
using Kvm.Colo.Qmp.Commands;

namespace Kvm.Colo.Cli.Monitor;

/// <summary>Commands line by line: from a pipe, or from a person on a terminal, who sees events as they come.</summary>
internal static class QmpShell
{
    private static readonly TimeSpan s_eventWait = TimeSpan.FromMilliseconds(200);

    /// <summary>Runs until the input ends. From a pipe all lines are run, and the exit status tells whether one failed.</summary>
    public static int Run(QmpClient client, TimeSpan? limit, bool json)
    {
        if (!Console.IsInputRedirected && !Console.IsOutputRedirected)
            return RunInteractive(client, limit, json);
        int status = ExitStatus.Clean;
        while (Console.In.ReadLine() is { } line)
        {
            if (IsCommand(line) && !Execute(client, line, limit, json))
                status = ExitStatus.Failed;
        }

        return status;
    }

    private static bool IsCommand(string line) => line.Trim() is { Length: > 0 } text && !text.StartsWith('#');

    private static int RunInteractive(QmpClient client, TimeSpan? limit, bool json)
    {
        Console.TreatControlCAsInput = true;
        Console.Out.WriteLine("Commands as NAME {JSON} or NAME KEY=VALUE…; Tab completes, Ctrl-D or exit ends.");
        HistoryFile history = HistoryFile.OfUser();
        LineReader reader = new("(qmp) ", new ShellCompletion(QmpSchemas.Product), new LineBuffer(history.Load()));
        using CancellationTokenSource end = new();
        Thread events = new(() => ShowEvents(client, reader, end.Token)) { Name = "events", IsBackground = true };
        events.Start();
        try
        {
            while (reader.Read() is { } line && line.Trim() != "exit")
            {
                if (IsCommand(line))
                    _ = Execute(client, line, limit, json);
            }
        }
        finally
        {
            Console.TreatControlCAsInput = false;
            end.Cancel();
            events.Join(TimeSpan.FromSeconds(1));
            history.Save(reader.History);
        }

        return ExitStatus.Clean;
    }

    private static void ShowEvents(QmpClient client, LineReader reader, CancellationToken end)
    {
        try
        {
            while (!end.IsCancellationRequested)
            {
                if (client.TryTakeEvent(s_eventWait, out QmpClientEvent item))
                    reader.PrintAbove(Describe(item));
            }
        }
        catch (QmpConnectionException)
        {
            reader.PrintAbove("colo-vm: the monitor has closed the connection");
        }
    }

    private static string Describe(QmpClientEvent item)
    {
        string data = item.Data.ValueKind == JsonValueKind.Undefined ? "" : " " + JsonText.Line(item.Data);
        return $"[{item.Time.ToLocalTime():HH:mm:ss.fff}] {item.Name}{data}";
    }

    private static bool Execute(QmpClient client, string line, TimeSpan? limit, bool json)
    {
        try
        {
            CommandLineWords.Split(CommandLineWords.SplitLine(line), out string? name, out string? arguments);
            if (name is not null)
                Console.Out.WriteLine(JsonText.Answer(client.Execute(name, arguments, limit), json));
            return true;
        }
        catch (Exception e) when (e is QmpCommandException or UsageException or TimeoutException)
        {
            Terminal.Messages.Line(e.Message);
            return false;
        }
    }
}
