using Kvm.Colo.Machine;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Hosting;

namespace Kvm.Colo.Cli.Hosting;

/// <summary>Identity, run state and vCPUs of the machine for the control socket.</summary>
internal sealed class QmpMachineAdapter(VirtualMachine machine) : IQmpMachine
{
    public string? Name => machine.Config.Name;

    public Guid Uuid => machine.Config.Uuid;

    public ulong MemoryBytes => machine.Config.MemoryBytes;

    public QmpRunState RunState => machine.State.ToQmp();

    public IReadOnlyList<QmpCpu> Cpus =>
        [.. machine.Vcpus.Select(static thread =>
            new QmpCpu(thread.Vcpu.Index, (int)thread.Vcpu.ThreadId, CpuPath(thread.Vcpu.Index)))];

    /// <summary>Where a vCPU is in the object tree.</summary>
    public static string CpuPath(int index) => $"/machine/cpu[{index}]";

    public void Stop() => Obey(machine.Stop);

    public void Continue() => Obey(machine.Start);

    public void Quit() => machine.QuitAndWait(ShutdownCause.HostQmpQuit);

    public void Reset() => Obey(machine.Reset);

    public void PowerDown() => Obey(machine.PowerDown);

    public void WakeUp() => Obey(machine.WakeUp);

    /// <summary>There is no watchdog: what one would do is accepted and has no effect, as in QEMU.</summary>
    public void SetAction(QmpActions actions)
    {
        if (actions.Reboot is { } reboot)
            machine.NoReboot = reboot == QmpRebootAction.Shutdown;
        if (actions.Shutdown is { } shutdown)
            machine.NoShutdown = shutdown == QmpShutdownAction.Pause;
        if (actions.Panic is { } panic)
            machine.Panic = (PanicAction)panic;
    }

    public string DescribeRegisters(int cpuIndex) => cpuIndex >= 0 && cpuIndex < machine.Vcpus.Count
        ? machine.DescribeRegisters(cpuIndex)
        : throw QmpErrors.Expects("cpu-index", "a CPU number");

    private static void Obey(Action command)
    {
        try
        {
            command();
        }
        catch (Exception e) when (e is MachineCommandException or RunStateException)
        {
            throw new QmpCommandException(e.Message);
        }
    }
}
