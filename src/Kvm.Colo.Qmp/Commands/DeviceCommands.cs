using System.Text.Json;
using Kvm.Colo.Qmp.Schema;
using static Kvm.Colo.Qmp.Schema.QmpCommandThread;
using static Kvm.Colo.Qmp.Schema.QmpMembers;

namespace Kvm.Colo.Qmp.Commands;

/// <summary>Commands about devices, disks and objects, and the human monitor.</summary>
internal static class DeviceCommands
{
    private static readonly QmpMember<string> s_id = Argument("id", QmpTypes.Str);

    private static readonly QmpMember<string> s_card = Argument("name", QmpTypes.Str, "the card's id");

    private static readonly QmpMember<bool> s_up = Argument("up", QmpTypes.Bool);

    private static readonly QmpMember<bool> s_queryNodes = OptionalArgument("query-nodes", QmpTypes.Bool,
        "the block nodes by themselves instead of the disks");

    private static readonly QmpMember<string> s_type = Argument("qom-type", QmpTypes.Str, "what to make");

    private static readonly QmpMember<string> s_path = Argument("path", QmpTypes.Str,
        "absolute, or the end of exactly one absolute path");

    private static readonly QmpMember<string> s_property = Argument("property", QmpTypes.Str);

    private static readonly QmpMember<object> s_value = Argument("value", QmpTypes.Any);

    private static readonly QmpMember<string> s_commandLine = Argument("command-line", QmpTypes.Str);

    private static readonly QmpMember<long> s_cpuIndex =
        OptionalArgument("cpu-index", QmpTypes.Int, "the vCPU it is about, 0 unless given");

    public static IReadOnlyList<QmpCommand> All { get; } =
    [
        QmpCommand.Query("query-chardev", Snapshot, QmpTypes.ListOf(DeviceTypes.Chardev), "Character devices.",
            static call => call.Host.Devices.Chardevs),
        QmpCommand.Query("query-block", Snapshot, QmpTypes.ListOf(DeviceTypes.Block), "Disks.",
            static call => call.Host.Devices.BlockDevices),
        QmpCommand.Query("query-blockstats", Snapshot, QmpTypes.ListOf(DeviceTypes.BlockStats), "Counters of the disks.",
            static call => call.Values.Get(s_queryNodes, fallback: false)
                ? [.. call.Host.Devices.BlockDevices.Select(disk => disk with { Device = null, QomPath = null })]
                : call.Host.Devices.BlockDevices, s_queryNodes),
        QmpCommand.Query("query-iothreads", Snapshot, QmpTypes.ListOf(DeviceTypes.IoThread), "I/O threads.",
            static call => call.Host.Devices.IoThreads),
        QmpCommand.Action("object-add", ControlLoop, QmpFeatures.None, takesOtherArguments: true,
            "Makes an object; its properties stand beside the type and id.", AddObject, s_type, s_id),
        QmpCommand.Action("object-del", ControlLoop, "Removes an object.",
            static call => call.Host.Devices.DeleteObject(call.Values.Get(s_id)), s_id),
        QmpCommand.Query("__org.colo-vm_query-devices", Snapshot, QmpTypes.ListOf(DeviceTypes.VirtioDevice),
            "The virtio devices with what went wrong in each, and the frames of network cards.",
            static call => call.Host.Devices.VirtioDevices),
        QmpCommand.Action("set_link", ControlLoop,
            "Plugs or unplugs a network card's cable on this host. The guest is told; what comes either way while it is out is dropped. "
            + "A survivor's cable is its own: what was set on the lost host is gone with it.",
            static call => call.Host.Devices.SetLink(call.Values.Get(s_card), call.Values.Get(s_up)), s_card, s_up),
        QmpCommand.Action("device_del", ControlLoop, "Asks a device to go; DEVICE_DELETED tells when it has.",
            static call => call.Host.Devices.DeleteDevice(call.Values.Get(s_id)), s_id),
        QmpCommand.Query("qom-list", ControlLoop, QmpTypes.ListOf(DeviceTypes.Property), "Properties and children of an object.",
            static call => call.Host.Devices.Objects.List(call.Values.Get(s_path)), s_path),
        QmpCommand.Query("qom-get", ControlLoop, QmpTypes.Any, "The value of a property.",
            static call => call.Host.Devices.Objects.Get(call.Values.Get(s_path), call.Values.Get(s_property)),
            s_path, s_property),
        QmpCommand.Action("qom-set", ControlLoop, "Sets a property.",
            static call => call.Host.Devices.Objects.Set(
                call.Values.Get(s_path), call.Values.Get(s_property), (JsonElement)call.Values.Get(s_value)),
            s_path, s_property, s_value),
        QmpCommand.Query("human-monitor-command", ControlLoop, QmpTypes.Str,
            "Text for people: `info status`, `info migrate`, `info cpus`, `info registers`, `info colo`, `info name`, "
            + "`info uuid`, `info kvm`, `info version`.",
            RunHumanCommand, s_commandLine, s_cpuIndex),
    ];

    private static void AddObject(QmpCall call)
    {
        string id = call.Values.Get(s_id);
        bool isIdentifier = id.Length > 0 && char.IsAsciiLetter(id[0])
            && id.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '.' or '_');
        if (!isIdentifier)
            throw QmpErrors.Expects("id", "an identifier");
        call.Host.Devices.AddObject(call.Values.Get(s_type), id, call.Arguments);
    }

    private static string RunHumanCommand(QmpCall call)
    {
        long cpuIndex = call.Values.Get(s_cpuIndex, fallback: 0);
        if (call.Values.Has(s_cpuIndex) && (cpuIndex < 0 || cpuIndex >= call.Host.Machine.Cpus.Count))
            throw QmpErrors.Expects("cpu-index", "a CPU number");
        return HumanMonitor.Run(call.Server, call.Values.Get(s_commandLine), (int)cpuIndex);
    }
}
