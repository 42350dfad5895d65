using System.Globalization;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>Pauses from lines like <c>PID@SECONDS.MICROSECONDS:colo_vm_state_change Change 'run' => 'stop'</c>.</summary>
internal static class TraceFile
{
    /// <summary>Traced where the moment counts at which the peer has its first checkpoint.</summary>
    public const string MessageEvent = "colo_receive_message";

    private const string StateEvent = "colo_vm_state_change";

    /// <summary>When the first checkpoint was live on the secondary, by the primary's trace; null when it is not yet.</summary>
    public static double? FirstLoadedUs(string path)
    {
        foreach ((double time, string line) in Lines(path, MessageEvent))
        {
            if (line.Contains("'vmstate-loaded'", StringComparison.Ordinal))
                return time;
        }

        return null;
    }

    /// <summary>Start and length in microseconds of every pause that began and ended in an interval.</summary>
    public static List<(double StartUs, double LengthUs)> Pauses(string path, double fromUs, double toUs)
    {
        List<(double, double)> pauses = [];
        double stopped = double.NaN;
        foreach ((double time, string line) in Lines(path, StateEvent))
        {
            if (line.EndsWith("=> 'stop'", StringComparison.Ordinal))
            {
                stopped = time;
            }
            else if (line.EndsWith("=> 'run'", StringComparison.Ordinal))
            {
                if (stopped >= fromUs && time <= toUs)
                    pauses.Add((stopped, time - stopped));
                stopped = double.NaN;
            }
        }

        return pauses;
    }

    private static IEnumerable<(double TimeUs, string Line)> Lines(string path, string name)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using StreamReader reader = new(file);
        while (reader.ReadLine() is { } line)
        {
            if (TryTime(line, name, out double time))
                yield return (time, line);
        }
    }

    private static bool TryTime(string line, string name, out double time)
    {
        time = 0;
        int at = line.IndexOf('@');
        int dot = line.IndexOf('.');
        int colon = line.IndexOf(':');
        if (at < 0 || dot < at || colon != dot + 7 || !line.AsSpan(colon + 1).StartsWith(name))
            return false;
        time = (double.Parse(line.AsSpan((at + 1)..dot), CultureInfo.InvariantCulture) * 1e6)
            + double.Parse(line.AsSpan((dot + 1)..colon), CultureInfo.InvariantCulture);
        return true;
    }
}
