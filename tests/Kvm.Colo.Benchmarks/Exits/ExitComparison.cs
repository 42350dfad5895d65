using System.CommandLine;
using System.Globalization;
using Kvm.Colo.Benchmarks.Comparison;
using Kvm.Colo.Benchmarks.Reporting;
using Spectre.Console;

namespace Kvm.Colo.Benchmarks.Exits;

/// <summary>
/// What an exit costs through managed dispatch and through a loop in C: the same guest, <c>mmio</c>, measures itself in both, in turn.
/// </summary>
internal static class ExitComparison
{
    private const double Goal = 1.3;

    public static Command CreateCommand()
    {
        Option<int> rounds = new("--rounds") { Description = "how often each VMM runs", DefaultValueFactory = static _ => 7 };
        Option<int> exits = new("--exits") { Description = "exits of each kind in a run", DefaultValueFactory = static _ => 50_000 };
        Command command = new("exit", "an exit's round trip: colo-vm against a loop in C with the same guest") { rounds, exits };
        command.SetAction(parsed => Run(parsed.GetValue(rounds), parsed.GetValue(exits)));
        return command;
    }

    private static int Run(int rounds, int exits)
    {
        Tools tools = new(Tools.FindRoot());
        string image = tools.Image("mmio.elf");
        string append = string.Create(CultureInfo.InvariantCulture, $"n={exits}");
        Dictionary<string, List<double>> native = [];
        Dictionary<string, List<double>> managed = [];
        for (int round = 0; round < rounds; round++)
        {
            Collect(Tools.Capture(tools.ExitLoop, image, append), native);
            string serial = Path.Combine("/dev/shm", $"colo-bench-{Guid.NewGuid():N}");
            Tools.CaptureAny(out _, tools.ColoVm, "run", "--kernel", image, "--memory", "64M", "--append", append, "--serial", $"file:{serial}");
            Collect(File.ReadAllText(serial), managed);
            File.Delete(serial);
        }

        Print(native, managed);
        double allocated = ExitAllocation.BytesPerExit(image, exits);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"allocated per exit: {allocated:0.000} bytes"));
        return 0;
    }

    private static void Print(Dictionary<string, List<double>> native, Dictionary<string, List<double>> managed)
    {
        Table table = new() { Border = TableBorder.Simple };
        table.AddColumns("exit", "C min, ns", "C median, ns", "colo-vm min, ns", "colo-vm median, ns", "difference, ns", "ratio", $"goal {Goal}");
        foreach ((string kind, List<double> times) in native)
        {
            Distribution c = new(times);
            Distribution ours = new(managed.GetValueOrDefault(kind, []));
            double ratio = ours.P50 / c.P50;
            table.AddRow(kind, Text(c.Sorted[0]), Text(c.P50), Text(ours.At(0)), Text(ours.P50), Text(ours.P50 - c.P50),
                ratio.ToString("0.00", CultureInfo.InvariantCulture), ratio <= Goal ? "met" : "MISSED");
        }

        TextTable.Terminal().Write(table);
    }

    // "mmio KIND n=N ticks T per T/N ns NS"
    private static void Collect(string output, Dictionary<string, List<double>> times)
    {
        foreach (string line in output.Split('\n'))
        {
            string[] words = line.TrimEnd('\r').Split(' ');
            if (words is not ["mmio", { } kind, _, "ticks", _, "per", _, "ns", { } ns])
                continue;
            if (!times.TryGetValue(kind, out List<double>? list))
                times.Add(kind, list = []);
            list.Add(double.Parse(ns, CultureInfo.InvariantCulture));
        }
    }

    private static string Text(double ns) => ns.ToString("0", CultureInfo.InvariantCulture);
}
