using Kvm.Colo.Machine;
using Kvm.Colo.Qmp.Hosting;

namespace Kvm.Colo.Cli.Hosting;

/// <summary>One machine and its migrations, as the control socket sees them.</summary>
internal sealed class MachineHost(
    VirtualMachine machine,
    QmpMachineAdapter machineAdapter,
    QmpMigrationAdapter migration,
    QmpColoAdapter colo,
    QmpDevicesAdapter devices)
    : IQmpHost
{
    public IQmpMachine Machine { get; } = machineAdapter;

    public IQmpMigration Migration { get; } = migration;

    public IQmpColo Colo { get; } = colo;

    public IQmpDevices Devices { get; } = devices;

    public bool TryPost(Action work) => machine.Control.Post(work);
}
