using System.Globalization;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>What /proc says about a VMM.</summary>
internal static class ProcessFigures
{
    /// <summary>CPU time so far of every thread that lives, by its id.</summary>
    public static Dictionary<int, ThreadCpu> Cpu(int processId)
    {
        Dictionary<int, ThreadCpu> result = [];
        foreach (string task in Directory.GetDirectories($"/proc/{processId}/task"))
        {
            try
            {
                string name = File.ReadAllText(Path.Combine(task, "comm")).Trim();
                double milliseconds = Nanoseconds(File.ReadAllText(Path.Combine(task, "schedstat"))) / 1e6;
                result[Number(Path.GetFileName(task))] = new ThreadCpu(name, milliseconds);
            }
            catch (IOException)
            {
                // A thread that has just ended.
            }
        }

        return result;
    }

    /// <summary>Milliseconds that threads used between two looks, by name; a thread that began meanwhile counts whole.</summary>
    public static SortedDictionary<string, double> Used(Dictionary<int, ThreadCpu> before, Dictionary<int, ThreadCpu> after)
    {
        SortedDictionary<string, double> used = [];
        foreach ((int id, ThreadCpu thread) in after)
        {
            double spent = thread.Milliseconds - (before.TryGetValue(id, out ThreadCpu? earlier) ? earlier.Milliseconds : 0);
            if (spent > 0)
                used[thread.Name] = used.GetValueOrDefault(thread.Name) + spent;
        }

        return used;
    }

    /// <summary>All but the vCPUs (QEMU: <c>CPU 0/KVM</c>, ours: <c>vcpu-0</c>).</summary>
    public static double Helpers(SortedDictionary<string, double> used) => used
        .Where(static thread => !thread.Key.StartsWith("CPU ", StringComparison.Ordinal) && !thread.Key.StartsWith("vcpu-", StringComparison.Ordinal))
        .Sum(static thread => thread.Value);

    public static MemoryFigures Memory(int processId)
    {
        string[] files = [.. Directory.GetFiles($"/proc/{processId}/fd").Where(IsMemoryFile)];
        long memfdKiB = files.Length == 0 ? 0 : ParseBlocks(Tools.Capture("stat", ["-L", "-c", "%i %b %B", .. files]));
        return ParseMemory(File.ReadLines($"/proc/{processId}/smaps_rollup")) with { MemfdKiB = memfdKiB };
    }

    /// <summary>KiB in files that <c>stat -c '%i %b %B'</c> told of, each inode once.</summary>
    public static long ParseBlocks(string text)
    {
        Dictionary<string, long> bytes = [];
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split(' ');
            bytes[words[0]] = long.Parse(words[1], CultureInfo.InvariantCulture) * long.Parse(words[2], CultureInfo.InvariantCulture);
        }

        return bytes.Values.Sum() / 1024;
    }

    /// <summary>Lines like <c>Pss:   1234 kB</c>.</summary>
    public static MemoryFigures ParseMemory(IEnumerable<string> rollup)
    {
        Dictionary<string, long> values = [];
        foreach (string line in rollup)
        {
            string[] words = line.Split([' ', ':'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 3 && words[2] == "kB")
                values[words[0]] = long.Parse(words[1], CultureInfo.InvariantCulture);
        }

        return new MemoryFigures(values["Rss"], values["Pss"], values.GetValueOrDefault("Pss_Anon"), values.GetValueOrDefault("Pss_Shmem"));
    }

    /// <summary>Bytes both ways on connections of this machine to a TCP port, as the kernel counted them; null when there is none.</summary>
    public static long? LinkBytes(int port) => ParseLinkBytes(Tools.Capture("ss", "-tinH", "dst", $":{port}"));

    /// <summary>The sum of all <c>bytes_sent:N</c> and <c>bytes_received:N</c>.</summary>
    public static long? ParseLinkBytes(string text)
    {
        long sum = 0;
        foreach (string word in text.Split([' ', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (word.StartsWith("bytes_sent:", StringComparison.Ordinal) || word.StartsWith("bytes_received:", StringComparison.Ordinal))
                sum += long.Parse(word.AsSpan(word.IndexOf(':') + 1), CultureInfo.InvariantCulture);
        }

        return text.Length == 0 ? null : sum;
    }

    /// <summary>The first of the three numbers: time on a CPU.</summary>
    public static double Nanoseconds(string schedstat) => double.Parse(schedstat.AsSpan(0, schedstat.IndexOf(' ')), CultureInfo.InvariantCulture);

    private static bool IsMemoryFile(string descriptor) =>
        new FileInfo(descriptor).LinkTarget?.StartsWith("/memfd:", StringComparison.Ordinal) is true;

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}

/// <summary>CPU time of one thread so far.</summary>
internal sealed record ThreadCpu(string Name, double Milliseconds);
