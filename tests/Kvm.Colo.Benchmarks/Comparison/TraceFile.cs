using System.Globalization;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>Pauses from lines like <c>PID@SECONDS.MICROSECONDS:colo_vm_state_change Change 'run' => 'stop'</c>.</summary>
internal static class TraceFile
{
    /// <summary>Traced where the moment counts at which the peer has its first checkpoint.</summary>
    public const string MessageEvent = "colo_receive_message";

    public const string StateEvent = "colo_vm_state_change";

    /// <summary>Traced where every stop of the guest counts, also those before the first checkpoint.</summary>
    public const string RunStateEvent = "runstate_set";

    /// <summary>When the first checkpoint was live on the secondary, by the primary's trace; null when it is not yet.</summary>
    public static double? FirstLoadedUs(string path, double fromUs)
    {
        foreach ((double time, string line) in Lines(path, MessageEvent))
        {
            if (time >= fromUs && line.Contains("'vmstate-loaded'", StringComparison.Ordinal))
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

    /// <summary>
    /// The longest time in microseconds in which the guest did not run, by its run state and by its checkpoints, among the stops that began
    /// in an interval; 0 when there were none. A run state line is <c>runstate_set current_run_state N (NAME) new_state N (NAME)</c>.
    /// </summary>
    public static double LongestStopUs(string path, double fromUs, double toUs)
    {
        double longest = Pauses(path, fromUs, double.MaxValue).Where(p => p.StartUs <= toUs).Select(static p => p.LengthUs).DefaultIfEmpty(0).Max();
        double stopped = double.NaN;
        foreach ((double time, string line) in Lines(path, RunStateEvent))
        {
            if (line.EndsWith("(running)", StringComparison.Ordinal))
            {
                if (stopped >= fromUs && stopped <= toUs)
                    longest = Math.Max(longest, time - stopped);
                stopped = double.NaN;
            }
            else if (line.Contains("(running) new_state", StringComparison.Ordinal))
            {
                stopped = time;
            }
        }

        return longest;
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
        // A line that a VMM is still writing, or was killed in, may be cut anywhere.
        if (!double.TryParse(line.AsSpan((at + 1)..dot), NumberStyles.None, CultureInfo.InvariantCulture, out double seconds)
            || !double.TryParse(line.AsSpan((dot + 1)..colon), NumberStyles.None, CultureInfo.InvariantCulture, out double microseconds))
        {
            return false;
        }

        time = (seconds * 1e6) + microseconds;
        return true;
    }
}
