using System.Text.Json;
using Kvm.Colo.Machine;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Hosting;

namespace Kvm.Colo.Cli.Hosting;

/// <summary>
/// Devices and objects for the control socket: the serial line and the vCPUs; nothing can be added or taken away.
/// </summary>
internal sealed class QmpDevicesAdapter : IQmpDevices
{
    public QmpDevicesAdapter(VirtualMachine machine, string serial)
    {
        Chardevs = [new QmpChardev("serial0", serial, FrontendOpen: true)];
        foreach (int index in machine.Vcpus.Select(static thread => thread.Vcpu.Index))
        {
            Objects.Add(QmpMachineAdapter.CpuPath(index), "colo-vm-cpu",
                new QmpObjectProperty("index", "int", () => (long)index),
                new QmpObjectProperty("thread-id", "int", () => machine.Vcpus[index].Vcpu.ThreadId),
                new QmpObjectProperty("exits", "int", () => machine.Vcpus[index].Exits));
        }
    }

    public IReadOnlyList<QmpChardev> Chardevs { get; }

    public IReadOnlyList<QmpBlockDevice> BlockDevices => [];

    public IReadOnlyList<QmpIoThread> IoThreads => [];

    public QmpObjectTree Objects { get; } = new();

    public void AddObject(string qomType, string id, JsonElement properties) => throw QmpErrors.WrongValue("qom-type", qomType);

    public void DeleteObject(string id) => throw new QmpCommandException($"object '{id}' not found");

    public void DeleteDevice(string id) => throw QmpErrors.DeviceNotFound(id);
}
