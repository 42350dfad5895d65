using System.Diagnostics;
using System.Globalization;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Loaders;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kvm.Colo.Benchmarks.Pair;

/// <summary>
/// The cost of checkpoints, measured on a primary and a secondary in two processes on this machine. The child process is the secondary.
/// </summary>
internal static class PairMeasurement
{
    public static int Run(string[] arguments)
    {
        NamedWords words = new(arguments);
        int memory = words.Number("memory", 256);
        MigrationSettings settings = new() { CheckpointDelayMs = words.Number("delay", 10), PreSend = words.Number("presend", 0) != 0, InTime = words.Number("in-time", 1) != 0 };
        if (words.Text("secondary", "") is { Length: > 0 } link)
            return SecondaryProcess.Serve(link, memory);
        string append = words.Text("append", string.Create(CultureInfo.InvariantCulture, $"pages={words.Number("pages", 256)} tick=0 report=1000"));
        return RunPrimary(words.Text("image", "out/images/dirty.elf"), append, memory, settings, words.Number("seconds", 5));
    }

    private static int RunPrimary(string image, string append, int memory, MigrationSettings settings, int seconds)
    {
        string path = Path.Combine(Path.GetTempPath(), $"colo-bench-{Environment.ProcessId}");
        using SecondaryProcess secondary = new(path, memory);
        using KvmSystem kvm = KvmSystem.Open();
        LastWords console = new(keptBytes: 3000);
        MachineConfig config = new()
        {
            MemoryBytes = (ulong)memory << 20,
            Boot = BootSource.Read(image, null, append),
            Serial = console,
        };
        using (VirtualMachine machine = VirtualMachine.Create(config, kvm, Silent.Instance, NullLogger.Instance, TimeProvider.System))
        using (MigrationManager manager = new(machine, settings, Silent.Instance))
        {
            machine.Start();
            manager.Protect(new MigrationUri(MigrationTransport.Unix, path, 0));
            ManualResetEvent never = new(false);
            while (manager.Current!.Statistics.Pause.Count < 50)
                never.WaitOne(10);
            Measure(manager.Current!.Statistics, seconds, never);
            Console.Out.WriteLine(console.Text);
            Console.Out.WriteLine("secondary: " + secondary.End());
        }

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
            pages/cp {(after.DirtyPages - before.DirtyPages) / epochs:0}, ahead of the cut {(after.Ahead - before.Ahead) / epochs:0}, bytes/cp {(after.Bytes - before.Bytes) / epochs:0}
            fates/cp: identical {(after.Identical - before.Identical) / epochs:0} delta {(after.Delta - before.Delta) / epochs:0} zero {(after.Zero - before.Zero) / epochs:0} full {(after.Full - before.Full) / epochs:0}
            pause us: min {Us(statistics.Pause.Minimum)} p50 {Us(statistics.Pause.Percentile(.5))} p90 {Us(statistics.Pause.Percentile(.9))} p99 {Us(statistics.Pause.Percentile(.99))} max {Us(statistics.Pause.Maximum)}
            commit us p50 {Us(statistics.Commit.Percentile(.5))} p99 {Us(statistics.Commit.Percentile(.99))} apply us p50 {Us(statistics.Apply.Percentile(.5))}
            allocated/cp {(GC.GetTotalAllocatedBytes() - allocated) / epochs:0} bytes, collections {GC.CollectionCount(0) - collections}, cpu {(Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds:0.00} s
            """));
    }

    private static string Us(TimeSpan duration) => duration.TotalMicroseconds.ToString("0", CultureInfo.InvariantCulture);
}
