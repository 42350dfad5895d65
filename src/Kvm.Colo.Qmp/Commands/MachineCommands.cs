using Kvm.Colo.Qmp.Hosting;
using Kvm.Colo.Qmp.Schema;
using static Kvm.Colo.Qmp.Schema.QmpCommandThread;
using static Kvm.Colo.Qmp.Schema.QmpMembers;

namespace Kvm.Colo.Qmp.Commands;

/// <summary>Commands about the machine and its run state.</summary>
internal static class MachineCommands
{
    private static readonly QmpMember<QmpRebootAction> s_reboot = OptionalArgument("reboot", MachineTypes.RebootAction,
        "what a guest's reset does");

    private static readonly QmpMember<QmpShutdownAction> s_shutdown = OptionalArgument("shutdown", MachineTypes.ShutdownAction,
        "what a guest's shutdown does");

    private static readonly QmpMember<QmpPanicAction> s_panic = OptionalArgument("panic", MachineTypes.PanicAction,
        "what a guest's panic does");

    private static readonly QmpMember<QmpWatchdogAction> s_watchdog = OptionalArgument("watchdog", MachineTypes.WatchdogAction,
        "what an expired watchdog does");

    private static readonly QmpMember<QmpWatchdogAction> s_onWatchdog = Argument("action", MachineTypes.WatchdogAction,
        "what an expired watchdog does");

    public static IReadOnlyList<QmpCommand> All { get; } =
    [
        QmpCommand.Query("query-status", Snapshot, MachineTypes.Status, "The run state.",
            static call => call.Host.Machine.RunState),
        QmpCommand.Query("query-kvm", Snapshot, MachineTypes.Kvm, "Whether KVM is there and used: always, here.",
            static _ => true),
        QmpCommand.Query("query-name", Snapshot, MachineTypes.Name, "The guest's name.", static call => call.Host.Machine),
        QmpCommand.Query("query-uuid", Snapshot, MachineTypes.Uuid, "The guest's UUID, all zeros when it has none.",
            static call => call.Host.Machine.Uuid),
        QmpCommand.Query("query-cpus-fast", Snapshot, QmpTypes.ListOf(MachineTypes.Cpu),
            "The vCPUs, without interrupting them.", static call => call.Host.Machine.Cpus),
        QmpCommand.Query("query-target", Snapshot, MachineTypes.Target, "What the machine is.", static _ => true),
        QmpCommand.Query("query-current-machine", Snapshot, MachineTypes.CurrentMachine, "What the machine can do.", static _ => true),
        QmpCommand.Query("query-memory-size-summary", Snapshot, MachineTypes.MemorySize, "How much memory the guest has.",
            static call => call.Host.Machine.MemoryBytes),
        QmpCommand.Action("stop", ControlLoop,
            "Stops the vCPUs; does nothing when they are stopped. While a migration comes in: do not start after it.",
            static call => call.Host.Machine.Stop()),
        QmpCommand.Action("cont", ControlLoop,
            "Starts the vCPUs; does nothing when they run. While a migration comes in: start after it.",
            static call => call.Host.Machine.Continue()),
        QmpCommand.Action("quit", ControlLoop, "Ends the process. SHUTDOWN comes first; the connection may end before the reply.",
            static call => call.Host.Machine.Quit()),
        QmpCommand.Action("system_reset", ControlLoop, "Resets the machine.", static call => call.Host.Machine.Reset()),
        QmpCommand.Action("system_powerdown", ControlLoop, "Presses the ACPI power button.",
            static call => call.Host.Machine.PowerDown()),
        QmpCommand.Action("system_wakeup", ControlLoop, "Wakes a guest from S3; an error when it is not there.",
            static call => call.Host.Machine.WakeUp()),
        QmpCommand.Action("set-action", ControlLoop, "Sets what certain guest events do; what is not named stays.",
            static call => call.Host.Machine.SetAction(new QmpActions(call.Values.Find(s_reboot), call.Values.Find(s_shutdown),
                call.Values.Find(s_panic), call.Values.Find(s_watchdog))),
            s_reboot, s_shutdown, s_panic, s_watchdog),
        QmpCommand.Action("watchdog-set-action", ControlLoop, "As `set-action` with `watchdog` alone.",
            static call => call.Host.Machine.SetAction(new QmpActions(Reboot: null, Shutdown: null, Panic: null, call.Values.Get(s_onWatchdog))),
            s_onWatchdog),
    ];
}
