using Kvm.Colo.Benchmarks.Pair;

return args switch
{
    ["pair", .. string[] rest] => PairMeasurement.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: Kvm.Colo.Benchmarks pair [pages=N] [memory=MiB] [delay=MS] [seconds=N] [append=TEXT]");
    return 2;
}
