using Kvm.Colo.Machine;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Hosting;

namespace Kvm.Colo.Cli.Hosting;

/// <summary>Identity, run state and vCPUs of the machine for the control socket.</summary>
internal sealed class QmpMachineAdapter(VirtualMachine machine) : IQmpMachine
{
    public string? Name => machine.Config.Name;

    public Guid Uuid => machine.Config.Uuid;

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

    public void WakeUp() => throw new QmpCommandException("Unable to wake up: guest is not in suspended state");

    /// <summary>
    /// There is no watchdog, and a panic always pauses: other choices for those are refused, with nothing changed.
    /// </summary>
    public void SetAction(QmpActions actions)
    {
        if (actions.Panic is not (null or QmpPanicAction.Pause) || actions.Watchdog is not null)
            throw QmpErrors.Unsupported();
        if (actions.Reboot is { } reboot)
            machine.NoReboot = reboot == QmpRebootAction.Shutdown;
        if (actions.Shutdown is { } shutdown)
            machine.NoShutdown = shutdown == QmpShutdownAction.Pause;
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
