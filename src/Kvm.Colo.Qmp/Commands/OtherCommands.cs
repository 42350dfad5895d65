using Kvm.Colo.Qmp.Schema;
using static Kvm.Colo.Qmp.Schema.QmpMembers;

namespace Kvm.Colo.Qmp.Commands;

/// <summary>
/// Commands of QEMU for features this product does not have, so that a manager is told that, and not that it made a typing error.
/// A command moves from here to its topic when its feature arrives.
/// </summary>
internal static class OtherCommands
{
    private static readonly QmpMember<string> s_id = Argument("id", QmpTypes.Str);

    private static readonly QmpMember<string> s_device = Argument("device", QmpTypes.Str);

    private static readonly QmpMember<string> s_nodeName = Argument("node-name", QmpTypes.Str);

    private static readonly QmpMember<string> s_type = Argument("type", QmpTypes.Str);

    private static readonly QmpMember<string> s_driver = Argument("driver", QmpTypes.Str);

    private static readonly QmpMember<object> s_addr = Argument("addr", QmpTypes.Any);

    public static IReadOnlyList<QmpCommand> All { get; } =
    [
        QmpCommand.Unsupported("device_add", "Adds a device.", s_driver),
        QmpCommand.Unsupported("netdev_add", "Adds a network backend.", s_type, s_id),
        QmpCommand.Unsupported("netdev_del", "Removes a network backend.", s_id),
        QmpCommand.Unsupported("chardev-add", "Adds a character device.", s_id, Argument("backend", QmpTypes.Any)),
        QmpCommand.Unsupported("chardev-remove", "Removes a character device.", s_id),
        QmpCommand.Unsupported("blockdev-add", "Adds a block node.", s_driver),
        QmpCommand.Unsupported("blockdev-del", "Removes a block node.", s_nodeName),
        QmpCommand.Unsupported("x-blockdev-change", "Changes the children of a block node.", Argument("parent", QmpTypes.Str)),
        QmpCommand.Unsupported("blockdev-mirror", "Mirrors a disk to a node.", s_device),
        QmpCommand.Unsupported("drive-mirror", "Mirrors a disk to a file.", s_device),
        QmpCommand.Unsupported("query-named-block-nodes", "Block nodes."),
        QmpCommand.Unsupported("query-block-jobs", "Block jobs."),
        QmpCommand.Unsupported("query-jobs", "Jobs."),
        QmpCommand.Unsupported("block-job-cancel", "Cancels a block job.", s_device),
        QmpCommand.Unsupported("job-cancel", "Cancels a job.", s_id),
        QmpCommand.Unsupported("nbd-server-start", "Starts the NBD server.", s_addr),
        QmpCommand.Unsupported("nbd-server-stop", "Stops the NBD server."),
        QmpCommand.Unsupported("block-export-add", "Exports a block node.", s_type, s_id),
        QmpCommand.Unsupported("block-export-del", "Removes an export.", s_id),
        QmpCommand.Unsupported("query-block-exports", "Block exports."),
        QmpCommand.Unsupported("calc-dirty-rate", "Measures the dirty rate.", Argument("calc-time", QmpTypes.Int)),
        QmpCommand.Unsupported("query-dirty-rate", "The measured dirty rate."),
        QmpCommand.Unsupported("set-vcpu-dirty-limit", "Limits how fast a vCPU dirties memory.",
            Argument("dirty-rate", QmpTypes.UInt64)),
        QmpCommand.Unsupported("cancel-vcpu-dirty-limit", "Lifts the dirty limit."),
        QmpCommand.Unsupported("query-vcpu-dirty-limit", "Dirty limits."),
    ];
}
