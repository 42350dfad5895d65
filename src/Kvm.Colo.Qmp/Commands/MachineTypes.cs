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

    /// <summary>One socket with one thread a core, as the guest's CPUID says.</summary>
    private static readonly QmpObject<QmpCpu> s_cpuProperties = new("CpuInstanceProperties", create: null,
        OptionalValue("socket-id", QmpTypes.Int, (QmpCpu _) => 0L),
        OptionalValue("core-id", QmpTypes.Int, (QmpCpu cpu) => (long)cpu.Index),
        OptionalValue("thread-id", QmpTypes.Int, (QmpCpu _) => 0L));

    public static readonly QmpObject<QmpCpu> Cpu = new("CpuInfoFast", create: null,
        Field("cpu-index", QmpTypes.Int, (QmpCpu cpu) => (long)cpu.Index),
        Field("qom-type", QmpTypes.Str, (QmpCpu _) => "colo-vm-cpu"),
        Field("qom-path", QmpTypes.Str, (QmpCpu cpu) => cpu.QomPath),
        Field("thread-id", QmpTypes.Int, (QmpCpu cpu) => (long)cpu.ThreadId, "kernel thread id"),
        OptionalReference("props", s_cpuProperties, (QmpCpu cpu) => cpu),
        Field("target", s_target, (QmpCpu _) => SysEmuTarget.X86));

    public static readonly QmpObject<bool> Target = new("TargetInfo", create: null,
        Field("arch", s_target, (bool _) => SysEmuTarget.X86));

    /// <summary>No guest of this machine sleeps, so none can be woken.</summary>
    public static readonly QmpObject<bool> CurrentMachine = new("CurrentMachineParams", create: null,
        Field("wakeup-suspend-support", QmpTypes.Bool, (bool _) => false, "false: no guest of this machine sleeps"));

    public static readonly QmpObject<ulong> MemorySize = new("MemoryInfo", create: null,
        Field("base-memory", QmpTypes.Size, (ulong bytes) => bytes, "bytes"),
        OptionalValue("plugged-memory", QmpTypes.Size, (ulong _) => (ulong?)0, "0: memory cannot be plugged"));

    private enum SysEmuTarget
    {
        X86,
    }
}
