using System.Diagnostics;
using System.Globalization;
using Kvm.Colo.Benchmarks.Pair;
using Kvm.Colo.Cli.Hosting;
using Kvm.Colo.Cli.Terminal;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Loaders;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Client;
using Kvm.Colo.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kvm.Colo.Benchmarks.Qmp;

/// <summary>
/// What a monitor costs a protected guest and what checkpoints cost a monitor: commands a second and their latency while checkpoints
/// run, and the pause of checkpoints with and without a monitor that is busy all the time. The secondary is a child process.
/// </summary>
internal static class QmpMeasurement
{
    private const int MemoryMiB = 64;

    public static int Run(string[] arguments)
    {
        NamedWords words = new(arguments);
        int seconds = words.Number("seconds", 5);
        string folder = Directory.CreateTempSubdirectory("colo-bench-").FullName;
        string path = Path.Combine(folder, "link");
        using SecondaryProcess secondary = new(path, MemoryMiB);
        using KvmSystem kvm = KvmSystem.Open();
        EventBridge events = new(trace: null, NullLogger.Instance, new ProgressLine(isQuiet: true));
        SettingsBridge settings = new();
        settings.Runtime.CheckpointDelayMs = words.Number("delay", 10);
        settings.Runtime.Colo = true;
        MachineConfig config = new()
        {
            MemoryBytes = MemoryMiB << 20,
            Boot = BootSource.Read(words.Text("image", "out/images/dirty.elf"), null, $"pages={words.Number("pages", 256)} tick=10 report=1000"),
            Serial = new LastWords(),
        };
        using (VirtualMachine machine = VirtualMachine.Create(config, kvm, events, NullLogger.Instance, TimeProvider.System))
        using (MigrationManager manager = new(machine, settings.Runtime, events))
        {
            MachineHost host = new(
                machine,
                new QmpMachineAdapter(machine),
                new QmpMigrationAdapter(machine, manager, settings, events),
                new QmpColoAdapter(manager),
                new QmpDevicesAdapter(machine, "null"));
            using QmpServer server = new(host, new QmpServerOptions());
            events.Connect(server);
            QmpAddress address = server.Listen(QmpAddress.Parse($"unix:{folder}/qmp"));
            machine.Start();
            manager.Protect(new MigrationUri(MigrationTransport.Unix, path, 0));
            using ManualResetEvent never = new(false);
            while (manager.Current!.Statistics.Pause.Count < 50)
                never.WaitOne(10);
            Measure(manager.Current.Statistics, "no monitor", () => never.WaitOne(TimeSpan.FromSeconds(seconds)));
            using QmpClient client = QmpClient.Connect(address);
            foreach (string command in (string[])["query-status", "query-migrate", "cont"])
                Measure(manager.Current.Statistics, command, () => Ask(client, command, seconds));
            secondary.End();
        }

        Directory.Delete(folder, recursive: true);
        return 0;
    }

    private static void Ask(QmpClient client, string command, int seconds)
    {
        DurationHistogram latency = new();
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(seconds))
        {
            long before = Stopwatch.GetTimestamp();
            client.Execute(command);
            latency.Record(Stopwatch.GetElapsedTime(before));
        }

        double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{command}: {latency.Count / elapsed:0} commands/s, latency us p50 {Us(latency.Percentile(.5))} p99 {Us(latency.Percentile(.99))} max {Us(latency.Maximum)}"));
    }

    private static void Measure(ColoStatistics statistics, string what, Action during)
    {
        statistics.Pause.Clear();
        during();
        DurationHistogram pause = statistics.Pause;
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  checkpoint pause ({what}): {pause.Count} checkpoints, us p50 {Us(pause.Percentile(.5))} p90 {Us(pause.Percentile(.9))} p99 {Us(pause.Percentile(.99))}"));
    }

    private static string Us(TimeSpan duration) => duration.TotalMicroseconds.ToString("0", CultureInfo.InvariantCulture);
}
