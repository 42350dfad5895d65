using Kvm.Colo.Benchmarks.Pair;
using Kvm.Colo.Benchmarks.Qmp;

return args switch
{
    ["qmp", .. string[] rest] => QmpMeasurement.Run(rest),
    ["pair", .. string[] rest] => PairMeasurement.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: Kvm.Colo.Benchmarks pair [pages=N] [memory=MiB] [delay=MS] [seconds=N] [append=TEXT]");
    Console.Error.WriteLine("       Kvm.Colo.Benchmarks qmp [pages=N] [delay=MS] [seconds=N]");
    return 2;
}
