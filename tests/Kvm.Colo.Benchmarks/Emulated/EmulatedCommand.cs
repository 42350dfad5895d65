using System.CommandLine;
using Kvm.Colo.Benchmarks.Comparison;

namespace Kvm.Colo.Benchmarks.Emulated;

/// <summary>
/// The comparison with Linux guests. It runs inside an emulated host (scripts/bench --testbed starts it there), where time is emulated on
/// a machine that was looked at before: a load gate would only see the emulation. What was measured is written down after each run, and is
/// not measured again by who finds it: an emulated host may end at any time.
/// </summary>
internal static class EmulatedCommand
{
    public static Command CreateCommand()
    {
        MeasuringOptions options = new(rounds: 2, seconds: 20, quickSeconds: 10);
        Option<string> output = new("--output") { Description = "where raw data and pictures go", Required = true };
        Command command = new("emulated", "inside an emulated host: Linux pairs beside QEMU's; scripts/bench --testbed runs it there") { output };
        options.AddTo(command);
        command.SetAction(parsed => Run(options.Read(parsed), parsed.GetValue(output)!));
        return command;
    }

    private static int Run(Measuring chosen, string output)
    {
        Tools tools = new(Tools.FindRoot());
        IReadOnlyList<Cell> cells = ComparisonCommand.Chosen(EmulatedPlan.Cells(chosen.IsQuick && chosen.CellPattern is null, chosen.Seconds), chosen.CellPattern);
        if (cells.Count == 0)
        {
            Console.Error.WriteLine($"bench: no cell matches '{chosen.CellPattern}'; there are: {string.Join(", ", EmulatedPlan.Cells(isQuick: false, 1).Select(static c => c.Name))}");
            return 2;
        }

        ComparisonData data = new() { Machine = MachineDescription.Read(tools), Command = Environment.CommandLine, Cells = cells };
        string path = Path.Combine(output, "testbed.json");
        if (File.Exists(path))
            data.Runs.AddRange(RawData.Runs(File.ReadAllText(path)));
        IEnumerable<(Cell, int, Subject)> turns = Measurement.Turns(cells, chosen.Rounds, EmulatedPlan.Subjects(), EmulatedPlan.Fits);
        Measurement.Run(tools, turns, Pace.Emulated, static () => 0, data.Runs, () => RawData.Replace(data, path));
        ComparisonTable.Print(data);
        ComparisonPictures.Write(data, output);
        // Whoever started the host takes them out of it and says where they are.
        RawData.Replace(data, path);
        return data.Runs.Exists(static run => run.Failure is not null) ? 1 : 0;
    }
}
