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

    /// <summary>The rest of what QEMU 10.2 for x86 knows; its arguments are not looked at.</summary>
    private static readonly string[] s_names =
    [
        // Disks and jobs.
        "block-commit", "block-dirty-bitmap-add", "block-dirty-bitmap-clear", "block-dirty-bitmap-disable",
        "block-dirty-bitmap-enable", "block-dirty-bitmap-merge", "block-dirty-bitmap-remove", "block-job-change",
        "block-job-complete", "block-job-dismiss", "block-job-finalize", "block-job-pause", "block-job-resume",
        "block-job-set-speed", "block-latency-histogram-set", "block-set-write-threshold", "block-stream", "block_resize",
        "block_set_io_throttle", "blockdev-backup", "blockdev-change-medium", "blockdev-close-tray", "blockdev-create",
        "blockdev-insert-medium", "blockdev-open-tray", "blockdev-remove-medium", "blockdev-reopen", "blockdev-set-active",
        "blockdev-snapshot", "blockdev-snapshot-delete-internal-sync", "blockdev-snapshot-internal-sync",
        "blockdev-snapshot-sync", "change-backing-file", "drive-backup", "eject", "job-complete", "job-dismiss",
        "job-finalize", "job-pause", "job-resume", "nbd-server-add", "nbd-server-remove", "snapshot-delete", "snapshot-load",
        "snapshot-save", "transaction", "x-blockdev-amend", "x-blockdev-set-iothread", "x-debug-block-dirty-bitmap-sha256",
        "x-debug-query-block-graph", "x-query-ramblock",

        // Screens and their keys.
        "add_client", "change-vnc-password", "client_migrate_info", "display-reload", "display-update", "expire_password",
        "input-send-event", "query-display-options", "query-mice", "query-spice", "query-vnc", "query-vnc-servers",
        "screendump", "send-key", "set_password",

        // Insides of QEMU, for its developers.
        "query-replay", "query-stats", "query-stats-schemas", "replay-break", "replay-delete-break", "replay-seek",
        "trace-event-get-state", "trace-event-set-state", "x-accel-stats", "x-exit-preconfig",
        "x-query-interrupt-controllers", "x-query-irq", "x-query-jit", "x-query-numa", "x-query-roms", "x-query-usb",
        "x-query-virtio", "x-query-virtio-queue-element", "x-query-virtio-queue-status", "x-query-virtio-status",
        "x-query-virtio-vhost-queue-status",

        // Devices and machines this one does not have.
        "add-fd", "chardev-change", "chardev-send-break", "closefd", "cxl-add-dynamic-capacity",
        "cxl-inject-correctable-error", "cxl-inject-dram-event", "cxl-inject-general-media-event",
        "cxl-inject-memory-module-event", "cxl-inject-poison", "cxl-inject-uncorrectable-errors",
        "cxl-release-dynamic-capacity", "device-list-properties", "device-sync-config", "dump-guest-memory", "dumpdtb",
        "getfd", "inject-nmi", "memsave", "pmemsave", "qom-list-properties", "qom-list-types", "query-accelerators",
        "query-acpi-ospm-status", "query-chardev-backends", "query-command-line-options", "query-cpu-definitions",
        "query-cpu-model-expansion", "query-cryptodev", "query-dump", "query-dump-guest-memory-capability", "query-fdsets",
        "query-firmware-log", "query-hotpluggable-cpus", "query-hv-balloon-status-report", "query-machines", "query-memdev",
        "query-memory-devices", "query-migrationthreads", "query-pci", "query-pr-managers", "query-rocker",
        "query-rocker-of-dpa-flows", "query-rocker-of-dpa-groups", "query-rocker-ports", "query-rx-filter", "query-sev",
        "query-sev-attestation-report", "query-sev-capabilities", "query-sev-launch-measure", "query-sgx",
        "query-sgx-capabilities", "query-tpm", "query-tpm-models", "query-tpm-types", "remove-fd", "request-ebpf",
        "ringbuf-read", "ringbuf-write", "rtc-reset-reinjection", "set-numa-node", "sev-inject-launch-secret",
        "xen-event-inject", "xen-event-list", "xen-load-devices-state", "xen-save-devices-state", "xen-set-global-dirty-log",
    ];

    public static IReadOnlyList<QmpCommand> All { get; } =
    [
        .. s_names.Select(static name => QmpCommand.Unsupported(name, "")),
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
