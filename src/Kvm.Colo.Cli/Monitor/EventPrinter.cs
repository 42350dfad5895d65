using System.Diagnostics;
using Kvm.Colo.Qmp.Client;

namespace Kvm.Colo.Cli.Monitor;

/// <summary>Prints events as they come, one JSON object a line.</summary>
internal sealed class EventPrinter(QmpClient client, TextWriter output)
{
    /// <summary>Prints until an event has this name.</summary>
    /// <exception cref="TimeoutException">It did not come.</exception>
    public int WaitFor(string name, TimeSpan limit)
    {
        long start = Stopwatch.GetTimestamp();
        while (Next(limit, start) is { } item)
        {
            if (item.Name == name)
                return ExitStatus.Clean;
        }

        throw new TimeoutException($"no {name} within {limit.TotalSeconds:0} s");
    }

    /// <summary>Prints a number of events.</summary>
    /// <exception cref="TimeoutException">They did not come.</exception>
    public int Print(int count, TimeSpan limit)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            if (Next(limit, start) is null)
                throw new TimeoutException($"{i} of {count} events within {limit.TotalSeconds:0} s");
        }

        return ExitStatus.Clean;
    }

    private QmpClientEvent? Next(TimeSpan limit, long start)
    {
        TimeSpan left = limit - Stopwatch.GetElapsedTime(start);
        if (!client.TryTakeEvent(left > TimeSpan.Zero ? left : TimeSpan.Zero, out QmpClientEvent item))
            return null;
        output.WriteLine(JsonText.Line(item.Raw));
        output.Flush();
        return item;
    }
}
