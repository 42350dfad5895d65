using System.Text.Json;

namespace Kvm.Colo.Qmp.Hosting;

/// <summary>Devices, disks and objects. Properties are snapshots, read on any thread; methods run on the control loop.</summary>
internal interface IQmpDevices
{
    IReadOnlyList<QmpChardev> Chardevs { get; }

    IReadOnlyList<QmpBlockDevice> BlockDevices { get; }

    /// <summary>The balloon; null without one.</summary>
    QmpBalloon? Balloon { get; }

    /// <summary>The VM generation id; null without one.</summary>
    Guid? GenerationId { get; }

    IReadOnlyList<QmpIoThread> IoThreads { get; }

    /// <summary>Every virtio device, in the guest's order.</summary>
    IReadOnlyList<QmpVirtioDevice> VirtioDevices { get; }

    /// <summary>
    /// What <c>qom-list</c>, <c>qom-get</c> and <c>qom-set</c> walk. Any thread reads, the control loop writes.
    /// </summary>
    QmpObjectTree Objects { get; }

    /// <summary>
    /// QAPI <c>object-add</c>. A type that cannot be created is <see cref="QmpErrors.WrongValue"/> of "qom-type".
    /// </summary>
    /// <param name="qomType">The object's type.</param>
    /// <param name="id">Its id, already checked to be an identifier.</param>
    /// <param name="properties">All arguments of the command, a JSON object that is valid during the call only.</param>
    void AddObject(string qomType, string id, JsonElement properties);

    /// <summary>QAPI <c>balloon</c>: asks the guest to make do with so many bytes. Called only when there is a balloon.</summary>
    void SetBalloon(ulong bytes);

    /// <summary>QAPI <c>object-del</c>: "object 'X' not found" when there is none.</summary>
    void DeleteObject(string id);

    /// <summary>QAPI <c>set_link</c>: <see cref="QmpErrors.DeviceNotFound"/> when there is no such card.</summary>
    void SetLink(string name, bool isUp);

    /// <summary>QAPI <c>device_del</c>: <see cref="QmpErrors.DeviceNotFound"/> when there is none.</summary>
    void DeleteDevice(string id);
}
