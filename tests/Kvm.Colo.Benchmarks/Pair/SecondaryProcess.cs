using System.Diagnostics;
using System.Globalization;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Migration.Links;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kvm.Colo.Benchmarks.Pair;

/// <summary>The secondary of a measured pair: a child process of this program, ready when the constructor returns.</summary>
internal sealed class SecondaryProcess : IDisposable
{
    private static readonly TimeSpan s_endDeadline = TimeSpan.FromSeconds(5);

    private readonly Process _process;

    /// <summary>Starts it.</summary>
    /// <param name="link">The UNIX socket it waits on.</param>
    /// <param name="memoryMiB">RAM of its guest.</param>
    public SecondaryProcess(string link, int memoryMiB)
    {
        string memory = memoryMiB.ToString(CultureInfo.InvariantCulture);
        _process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["pair", $"secondary={link}", $"memory={memory}"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        _process.StandardOutput.ReadLine();
    }

    /// <summary>What the child does.</summary>
    public static int Serve(string link, int memoryMiB)
    {
        using KvmSystem kvm = KvmSystem.Open();
        MachineConfig config = new() { MemoryBytes = (ulong)memoryMiB << 20, IsIncoming = true, Serial = new NullSerialBackend() };
        using VirtualMachine machine = VirtualMachine.Create(config, kvm, Silent.Instance, NullLogger.Instance, TimeProvider.System);
        using MigrationManager manager = new(machine, new MigrationSettings { PreSend = true }, Silent.Instance);
        manager.Listen(new MigrationUri(MigrationTransport.Unix, link, 0), keepListening: false);
        Console.Out.WriteLine("ready");
        Console.In.ReadLine();
        if (manager.Current is { } current)
        {
            DurationHistogram apply = current.Statistics.Apply;
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"apply p50 {apply.Percentile(.5).TotalMicroseconds:0} p99 {apply.Percentile(.99).TotalMicroseconds:0} us, cpu {Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds:0.00} s, gc {GC.CollectionCount(0)}"));
        }

        return 0;
    }

    /// <summary>Ends it.</summary>
    /// <returns>What it measured itself.</returns>
    public string? End()
    {
        _process.StandardInput.WriteLine();
        return _process.StandardOutput.ReadLine();
    }

    public void Dispose()
    {
        _process.WaitForExit(s_endDeadline);
        _process.Dispose();
    }
}
