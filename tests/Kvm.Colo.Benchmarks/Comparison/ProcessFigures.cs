using System.Globalization;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>What /proc says about a VMM.</summary>
internal static class ProcessFigures
{
    /// <summary>CPU time so far of all threads but the vCPUs (QEMU: <c>CPU 0/KVM</c>, ours: <c>vcpu-0</c>), per thread, in ms.</summary>
    public static Dictionary<int, double> HelperCpu(int processId)
    {
        Dictionary<int, double> result = [];
        foreach (string task in Directory.GetDirectories($"/proc/{processId}/task"))
        {
            try
            {
                string name = File.ReadAllText(Path.Combine(task, "comm")).Trim();
                bool isVcpu = name.StartsWith("CPU ", StringComparison.Ordinal) || name.StartsWith("vcpu-", StringComparison.Ordinal);
                if (!isVcpu)
                    result[Number(Path.GetFileName(task))] = Nanoseconds(File.ReadAllText(Path.Combine(task, "schedstat"))) / 1e6;
            }
            catch (IOException)
            {
                // A thread that has just ended.
            }
        }

        return result;
    }

    /// <summary>What threads used between two looks; a thread that began meanwhile counts whole.</summary>
    public static double Used(Dictionary<int, double> before, Dictionary<int, double> after) =>
        after.Sum(thread => thread.Value - before.GetValueOrDefault(thread.Key));

    public static MemoryFigures Memory(int processId)
    {
        Dictionary<string, long> values = [];
        foreach (string line in File.ReadLines($"/proc/{processId}/smaps_rollup"))
        {
            string[] words = line.Split([' ', ':'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 3 && words[2] == "kB")
                values[words[0]] = long.Parse(words[1], CultureInfo.InvariantCulture);
        }

        return new MemoryFigures(values["Rss"], values["Pss"], values.GetValueOrDefault("Pss_Anon"), values.GetValueOrDefault("Pss_Shmem"));
    }

    /// <summary>Bytes both ways on connections of this machine to a TCP port, as the kernel counted them; null when there is none.</summary>
    public static long? LinkBytes(int port)
    {
        string text = Tools.Capture("ss", "-tinH", "dst", $":{port}");
        long sum = 0;
        foreach (string word in text.Split([' ', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (word.StartsWith("bytes_sent:", StringComparison.Ordinal) || word.StartsWith("bytes_received:", StringComparison.Ordinal))
                sum += long.Parse(word.AsSpan(word.IndexOf(':') + 1), CultureInfo.InvariantCulture);
        }

        return text.Length == 0 ? null : sum;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static double Nanoseconds(string schedstat) => double.Parse(schedstat.AsSpan(0, schedstat.IndexOf(' ')), CultureInfo.InvariantCulture);
}
