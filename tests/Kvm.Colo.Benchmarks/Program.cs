using System.CommandLine;
using Kvm.Colo.Benchmarks.Ablation;
using Kvm.Colo.Benchmarks.Comparison;
using Kvm.Colo.Benchmarks.Emulated;
using Kvm.Colo.Benchmarks.Exits;
using Kvm.Colo.Benchmarks.Micro;
using Kvm.Colo.Benchmarks.Pair;
using Kvm.Colo.Benchmarks.Qmp;

switch (args)
{
    case ["qmp", .. string[] rest]:
        return QmpMeasurement.Run(rest);
    case ["pair", .. string[] rest]:
        return PairMeasurement.Run(rest);
    case ["micro", .. string[] rest]:
        return MicroBenchmarks.Run(rest);
    default:
        RootCommand root = new("Measures colo-vm and QEMU's COLO on this machine.")
        {
            ComparisonCommand.CreateCommand(),
            AblationCommand.CreateCommand(),
            EmulatedCommand.CreateCommand(),
            GateCommand.CreateCommand(),
            ExitComparison.CreateCommand(),
            new Command("pair", "one pair of ours in depth: [pages=N] [memory=MiB] [delay=MS] [seconds=N] [append=TEXT]"),
            new Command("qmp", "the control socket while checkpoints run: [pages=N] [delay=MS] [seconds=N]"),
            new Command("micro", "BenchmarkDotNet; takes its options, such as --filter '*Delta*' or --list flat"),
        };
        return root.Parse(args).Invoke();
}
