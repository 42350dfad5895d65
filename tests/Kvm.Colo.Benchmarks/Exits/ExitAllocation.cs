using Kvm.Colo.Benchmarks.Comparison;
using Kvm.Colo.Benchmarks.Pair;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Loaders;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kvm.Colo.Benchmarks.Exits;

/// <summary>Garbage that exits make: the whole process is watched while a guest does nothing but exit.</summary>
internal static class ExitAllocation
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    /// <summary>Managed bytes allocated per exit of the guest <c>mmio</c>, over several of its rounds.</summary>
    public static double BytesPerExit(string image, int exits)
    {
        using KvmSystem kvm = KvmSystem.Open();
        LineCounter console = new();
        MachineConfig config = new()
        {
            MemoryBytes = 64ul << 20,
            Boot = BootSource.Read(image, null, $"loop=1 n={exits}"),
            Serial = console,
        };
        using VirtualMachine machine = VirtualMachine.Create(config, kvm, Silent.Instance, NullLogger.Instance, TimeProvider.System);
        machine.Start();
        WaitForRound(console, 2);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        long first = machine.Exits;
        WaitForRound(console, 4);
        long bytes = GC.GetTotalAllocatedBytes(precise: true) - before;
        return bytes / (double)(machine.Exits - first);
    }

    // A round is nine kinds and its own line; the first line of all is the start's.
    private static void WaitForRound(LineCounter console, int round) =>
        HostClock.Until(() => console.Lines > round * 10, s_deadline, "the guest's next round");
}
