using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Kvm.Colo.Benchmarks.Comparison;

namespace Kvm.Colo.Benchmarks.Micro;

/// <summary>The micro benchmarks, each class with its physical limit as baseline.</summary>
internal static class MicroBenchmarks
{
    /// <summary>Runs what BenchmarkDotNet's own arguments choose; everything without any.</summary>
    public static int Run(string[] arguments)
    {
        string[] chosen = arguments.Length == 0 ? ["--filter", "*"] : arguments;
        BenchmarkSwitcher.FromAssembly(typeof(MicroBenchmarks).Assembly).Run(chosen, Config());
        return 0;
    }

    // In this process: the generated project of the default toolchain knows nothing of this tree's build rules.
    private static ManualConfig Config() => ManualConfig.CreateEmpty()
        .AddJob(Job.ShortRun.WithIterationCount(5).WithToolchain(InProcessEmitToolchain.Instance))
        .AddColumnProvider(DefaultColumnProviders.Instance)
        .AddLogger(ConsoleLogger.Default)
        .AddExporter(MarkdownExporter.GitHub)
        .AddExporter(BenchmarkDotNet.Exporters.Json.JsonExporter.Full)
        .WithArtifactsPath(Path.Combine(Tools.FindRoot(), "out", "bench", "micro"));
}
