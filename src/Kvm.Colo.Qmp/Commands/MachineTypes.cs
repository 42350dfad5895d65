using Kvm.Colo.Qmp.Hosting;
using Kvm.Colo.Qmp.Schema;
using static Kvm.Colo.Qmp.Schema.QmpMembers;

namespace Kvm.Colo.Qmp.Commands;

/// <summary>Types of the machine commands (QAPI <c>run-state.json</c>, <c>machine.json</c>, <c>misc.json</c>).</summary>
internal static class MachineTypes
{
    public static readonly QmpEnum<QmpRunState> RunState = new("RunState",
        "debug", "inmigrate", "internal-error", "io-error", "paused", "postmigrate", "prelaunch", "finish-migrate", "restore-vm",
        "running", "save-vm", "shutdown", "suspended", "watchdog", "guest-panicked", "colo");

    public static readonly QmpEnum<QmpShutdownCause> ShutdownCause = new("ShutdownCause",
        "none", "host-error", "host-qmp-quit", "host-qmp-system-reset", "host-signal", "host-ui", "guest-shutdown", "guest-reset",
        "guest-panic", "subsystem-reset", "snapshot-load");

    public static readonly QmpEnum<QmpRebootAction> RebootAction = new("RebootAction", "reset", "shutdown");

    public static readonly QmpEnum<QmpShutdownAction> ShutdownAction = new("ShutdownAction", "poweroff", "pause");

    public static readonly QmpEnum<QmpPanicAction> PanicAction = new("PanicAction", "pause", "shutdown", "exit-failure", "none");

    public static readonly QmpEnum<QmpWatchdogAction> WatchdogAction = new("WatchdogAction",
        "reset", "shutdown", "poweroff", "pause", "debug", "none", "inject-nmi");

    public static readonly QmpEnum<QmpGuestPanicAction> GuestPanicAction = new("GuestPanicAction", "pause", "poweroff", "run");

    public static readonly QmpObject<QmpRunState> Status = new("StatusInfo", create: null,
        Field("running", QmpTypes.Bool, (QmpRunState state) => state == QmpRunState.Running, "true while vCPUs run"),
        Field("status", RunState, (QmpRunState state) => state));

    /// <summary>There is no machine of this product without KVM, so both members are always true.</summary>
    public static readonly QmpObject<bool> Kvm = new("KvmInfo", create: null,
        Field("enabled", QmpTypes.Bool, (bool isOn) => isOn), Field("present", QmpTypes.Bool, (bool isOn) => isOn));

    public static readonly QmpObject<IQmpMachine> Name = new("NameInfo", create: null,
        OptionalReference("name", QmpTypes.Str, (IQmpMachine machine) => machine.Name));

    public static readonly QmpObject<Guid> Uuid = new("UuidInfo", create: null,
        Field("UUID", QmpTypes.Str, (Guid uuid) => uuid.ToString("D")));

    private static readonly QmpEnum<SysEmuTarget> s_target = new("SysEmuTarget", "x86_64");

    public static readonly QmpObject<QmpCpu> Cpu = new("CpuInfoFast", create: null,
        Field("cpu-index", QmpTypes.Int, (QmpCpu cpu) => (long)cpu.Index),
        Field("qom-path", QmpTypes.Str, (QmpCpu cpu) => cpu.QomPath),
        Field("thread-id", QmpTypes.Int, (QmpCpu cpu) => (long)cpu.ThreadId, "kernel thread id"),
        Field("target", s_target, (QmpCpu _) => SysEmuTarget.X86));

    private enum SysEmuTarget
    {
        X86,
    }
}
