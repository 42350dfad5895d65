using System.CommandLine;
using System.Text.Json;
using Kvm.Colo.Benchmarks.Comparison;
using Kvm.Colo.Benchmarks.Reporting;

namespace Kvm.Colo.Benchmarks.Ablation;

/// <summary>What each technique is worth: pairs of ours in turn, with everything on and without one thing after the other.</summary>
internal static class AblationCommand
{
    public static Command CreateCommand()
    {
        MeasuringOptions options = new(rounds: 3, seconds: 10, quickSeconds: 3);
        Command command = new("ablation", "our techniques switched off one at a time: one table with ratios to all-on, raw data under out/bench");
        options.AddTo(command);
        command.SetAction(parsed => Run(options.Read(parsed)));
        return command;
    }

    private static int Run(Measuring chosen)
    {
        Tools tools = new(Tools.FindRoot());
        if (!LoadGate.Pass(chosen.Force))
            return 1;
        IReadOnlyList<Cell> cells = ComparisonCommand.Chosen(AblationPlan.Cells(chosen.IsQuick && chosen.CellPattern is null, chosen.Seconds), chosen.CellPattern);
        if (cells.Count == 0)
        {
            Console.Error.WriteLine($"bench: no cell matches '{chosen.CellPattern}'; there are: {string.Join(", ", AblationPlan.Cells(isQuick: false, 1).Select(static c => c.Name))}");
            return 2;
        }

        ComparisonData data = new() { Machine = MachineDescription.Read(tools), Command = Environment.CommandLine, Cells = cells };
        IReadOnlyList<Subject> variants = AblationPlan.Variants(Parameters(tools));
        Measurement.Run(tools, Measurement.Turns(cells, chosen.Rounds, variants), Pace.Native, () => LoadGate.Look(chosen.Force), data.Runs);
        AblationTable.Write(data, TextTable.Terminal(), Console.Out);
        RawData.Write(data, tools.Output, "ablation.json");
        return data.Runs.Exists(static run => run.Failure is not null) ? 1 : 0;
    }

    /// <summary>What this build of colo-vm can be told.</summary>
    private static JsonElement Parameters(Tools tools)
    {
        string folder = Directory.CreateDirectory(Path.Combine("/dev/shm", $"colo-bench-{Guid.NewGuid():N}")).FullName;
        try
        {
            VmmFiles files = new(folder, "ask");
            string[] arguments = ["run", "--memory", "16M", "--kernel", tools.Image("idle.mb"), "--serial", $"unix:{files.Serial}", "--qmp", $"unix:{files.Qmp}"];
            using VmmProcess vmm = new(tools.ColoVm, arguments, new Dictionary<string, string>(), files);
            vmm.Connect(Pace.Native.StepDeadline);
            return vmm.Qmp.Execute("query-migrate-parameters");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
