using System.Diagnostics;
using System.Globalization;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Loaders;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Migration.Links;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kvm.Colo.Benchmarks.Pair;

/// <summary>
/// The cost of checkpoints, measured on a primary and a secondary in two processes on this machine. The child process is the secondary.
/// </summary>
internal static class PairMeasurement
{
    public static int Run(string[] arguments)
    {
        Dictionary<string, string> options = arguments.Select(a => a.Split('=', 2)).ToDictionary(p => p[0], p => p.Length > 1 ? p[1] : "");
        string Get(string name, string fallback) => options.GetValueOrDefault(name, fallback);
        int Number(string name, int fallback) => int.Parse(Get(name, fallback.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
        ulong memory = (ulong)Number("memory", 256) << 20;
        if (options.TryGetValue("secondary", out string? path))
            return RunSecondary(path, memory);
        int pages = Number("pages", 256);
        string append = Get("append", $"pages={pages} tick=0 report=1000");
        string image = Get("image", "out/images/dirty.elf");
        return RunPrimary(image, append, memory, Number("delay", 10), Number("seconds", 5), Get("secondary-log", ""));
    }

    private static int RunSecondary(string path, ulong memory)
    {
        using KvmSystem kvm = KvmSystem.Open();
        MachineConfig config = new() { MemoryBytes = memory, IsIncoming = true, Serial = new NullSerialBackend() };
        using VirtualMachine machine = VirtualMachine.Create(config, kvm, Silent.Instance, NullLogger.Instance, TimeProvider.System);
        using MigrationManager manager = new(machine, new MigrationSettings(), Silent.Instance);
        manager.Listen(new MigrationUri(MigrationTransport.Unix, path, 0), keepListening: false);
        Console.Out.WriteLine("ready");
        Console.In.ReadLine();
        if (manager.Current is { } current)
        {
            DurationHistogram apply = current.Statistics.Apply;
            Console.Out.WriteLine($"apply p50 {Us(apply.Percentile(.5))} p99 {Us(apply.Percentile(.99))} us, cpu {Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds:0.00} s, gc {GC.CollectionCount(0)}");
        }

        return 0;
    }

    private static int RunPrimary(string image, string append, ulong memory, int delay, int seconds, string log)
    {
        _ = log;
        string path = Path.Combine(Path.GetTempPath(), $"colo-bench-{Environment.ProcessId}");
        using Process secondary = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["pair", $"secondary={path}", $"memory={memory >> 20}"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        secondary.StandardOutput.ReadLine();
        using KvmSystem kvm = KvmSystem.Open();
        LastLines console = new();
        MachineConfig config = new()
        {
            MemoryBytes = memory,
            Boot = BootSource.Read(image, null, append),
            Serial = console,
        };
        using (VirtualMachine machine = VirtualMachine.Create(config, kvm, Silent.Instance, NullLogger.Instance, TimeProvider.System))
        using (MigrationManager manager = new(machine, new MigrationSettings { CheckpointDelayMs = delay }, Silent.Instance))
        {
            machine.Start();
            manager.Protect(new MigrationUri(MigrationTransport.Unix, path, 0));
            ManualResetEvent never = new(false);
            while (manager.Current!.Statistics.Pause.Count < 50)
                never.WaitOne(10);
            Measure(manager.Current!.Statistics, seconds, never);
            Console.Out.WriteLine(console.Text);
            secondary.StandardInput.WriteLine();
            Console.Out.WriteLine("secondary: " + secondary.StandardOutput.ReadLine());
        }

        secondary.WaitForExit(TimeSpan.FromSeconds(5));
        return 0;
    }

    private static void Measure(ColoStatistics statistics, int seconds, WaitHandle never)
    {
        statistics.Pause.Clear();
        statistics.Commit.Clear();
        statistics.Apply.Clear();
        ColoCounters before = statistics.Counters;
        long start = Stopwatch.GetTimestamp();
        long allocated = GC.GetTotalAllocatedBytes();
        int collections = GC.CollectionCount(0);
        TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
        never.WaitOne(TimeSpan.FromSeconds(seconds));
        double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        ColoCounters after = statistics.Counters;
        double epochs = after.Epoch - before.Epoch;
        double pauses = statistics.Pause.Sum.TotalSeconds;
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
            checkpoints {epochs} in {elapsed:0.0} s = {epochs / elapsed:0}/s, guest runs {100 * (1 - (pauses / elapsed)):0.0} %
            pages/cp {(after.DirtyPages - before.DirtyPages) / epochs:0}, bytes/cp {(after.Bytes - before.Bytes) / epochs:0}
            fates/cp: identical {(after.Identical - before.Identical) / epochs:0} delta {(after.Delta - before.Delta) / epochs:0} zero {(after.Zero - before.Zero) / epochs:0} full {(after.Full - before.Full) / epochs:0}
            pause us: min {Us(statistics.Pause.Minimum)} p50 {Us(statistics.Pause.Percentile(.5))} p90 {Us(statistics.Pause.Percentile(.9))} p99 {Us(statistics.Pause.Percentile(.99))} max {Us(statistics.Pause.Maximum)}
            commit us p50 {Us(statistics.Commit.Percentile(.5))} apply us p50 {Us(statistics.Apply.Percentile(.5))}
            allocated/cp {(GC.GetTotalAllocatedBytes() - allocated) / epochs:0} bytes, collections {GC.CollectionCount(0) - collections}, cpu {(Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds:0.00} s
            """));
    }

    private static string Us(TimeSpan duration) => duration.TotalMicroseconds.ToString("0", CultureInfo.InvariantCulture);
}
