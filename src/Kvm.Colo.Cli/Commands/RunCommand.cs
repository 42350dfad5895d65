using System.CommandLine;
using Kvm.Colo.Cli.Hosting;
using Kvm.Colo.Cli.Options;

namespace Kvm.Colo.Cli.Commands;

/// <summary><c>colo-vm run</c>: one virtual machine in this process.</summary>
internal sealed class RunCommand
{
    private readonly Option<string?> _kernel =
        Text("--kernel", "FILE", "what to boot: bzImage, PVH or Multiboot ELF, or a boot sector");
    private readonly Option<string?> _initrd = Text("--initrd", "FILE", "initial RAM disk, or Multiboot module");
    private readonly Option<string?> _append = Text("--append", "TEXT", "the guest's command line");
    private readonly Option<string?> _memory =
        Text("--memory", "SIZE", $"guest RAM, such as 64M or 2G [{RunOptionsReader.DefaultMemory}]");
    private readonly Option<int?> _cpus = NumberOption.Create("--cpus", "N", "number of vCPUs [1]");
    private readonly Option<string?> _cpu =
        Text("--cpu", "MODEL", "host: all this host offers; baseline: a fixed set, to move between unlike hosts [host]");
    private readonly Option<string?> _name = Text("--name", "NAME", "the guest's name, for monitors");
    private readonly Option<string?> _uuid = Text("--uuid", "UUID", "the guest's UUID, for monitors");
    private readonly Option<string[]> _disk = Many("--disk", "LIST", "file=PATH[,id=ID][,format=raw][,readonly=on]");
    private readonly Option<string[]> _net = Many("--net", "LIST", "tap[,ifname=NAME][,mac=MAC][,id=ID]");
    private readonly Option<string?> _serial =
        Text("--serial", "WHERE", "the serial line: stdio, file:PATH, unix:PATH[,server] or null [stdio]");
    private readonly Option<string?> _console =
        Text("--console", "WHERE", "a virtio console (hvc0) beside the serial line, to the same kinds of places");
    private readonly Option<string?> _balloon =
        Text("--balloon", "LIST", "virtio[,deflate-on-oom=off][,free-page-reporting=off]: memory that can be taken back");
    private readonly Option<string?> _vmgenid =
        Text("--vmgenid", "GUID", "an id that tells the guest it was restored: a GUID, or auto for a new one each time");
    private readonly Option<string[]> _qmp = Many("--qmp", "ADDRESS", "listen for monitors: unix:PATH or tcp:HOST:PORT[,tls=FOLDER]");
    private readonly Option<string?> _primary =
        Text("--primary", "URI", "protect the guest: keep it running on the secondary at tcp:HOST:PORT or unix:PATH too");
    private readonly Option<string?> _secondary = Text("--secondary", "URI", "wait there for a primary");
    private readonly Option<string?> _incoming =
        Text("--incoming", "URI", "wait for one migration: tcp:, unix:, file:, exec:, fd: or defer");
    private readonly Option<int?> _delay =
        NumberOption.Create("--checkpoint-delay", "MS", "longest time between two checkpoints [20000]");
    private readonly Option<bool> _paused = Flag("--paused", "do not start the guest; cont does");
    private readonly Option<bool> _noShutdown = Flag("--no-shutdown", "stay when the guest switches itself off");
    private readonly Option<bool> _noReboot = Flag("--no-reboot", "end when the guest resets itself");
    private readonly Option<string?> _log = Text("--log", "LEVEL", "quiet, error, warning, info or debug [info]");
    private readonly Option<string[]> _trace =
        Many("--trace", "PATTERN", "trace events whose name matches, such as colo_* or runstate_set");
    private readonly Option<string?> _traceFile = Text("--trace-file", "FILE", "where traces go [standard error]");
    private readonly Option<string?> _config =
        Text("--config", "FILE", "these options as a JSON object; the command line goes first");
    private readonly Option<bool> _verify = Flag("--verify-checkpoints", "compare all guest memory after every checkpoint");
    private readonly Option<int?> _heartbeat =
        NumberOption.Create("--heartbeat-timeout", "MS", "silence after which the other side is lost [1000]");
    private readonly Option<string?> _tracking = Text("--dirty-tracking", "HOW", "auto, ring or bitmap [auto]");

    public RunCommand()
    {
        Command = new Command("run", "Run a virtual machine.")
        {
            _kernel, _initrd, _append, _memory, _cpus, _cpu, _name, _uuid, _disk, _net, _serial, _console, _balloon, _vmgenid, _qmp,
            _primary, _secondary, _incoming, _delay, _paused, _noShutdown, _noReboot, _log, _trace, _traceFile, _config,
            _verify, _heartbeat, _tracking,
        };
        Command.SetAction(Run);
    }

    public Command Command { get; }

    private static Option<string?> Text(string name, string value, string description) => new(name)
    {
        HelpName = value,
        Description = description,
    };

    private static Option<string[]> Many(string name, string value, string description) => new(name)
    {
        HelpName = value,
        Description = description,
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
        DefaultValueFactory = static _ => [],
    };

    private static Option<bool> Flag(string name, string description) => new(name) { Description = description };

    private int Run(ParseResult parsed)
    {
        RunSettings given = Collect(parsed);
        if (parsed.GetValue(_config) is { } path)
            given = given.Over(ConfigFile.Read(path));
        return VmProcess.Run(RunOptionsReader.Read(given));
    }

    private RunSettings Collect(ParseResult parsed) => new()
    {
        Kernel = parsed.GetValue(_kernel),
        Initrd = parsed.GetValue(_initrd),
        Append = parsed.GetValue(_append),
        Memory = parsed.GetValue(_memory),
        Cpus = parsed.GetValue(_cpus),
        Cpu = parsed.GetValue(_cpu),
        Name = parsed.GetValue(_name),
        Uuid = parsed.GetValue(_uuid),
        Disk = ListOrNull(parsed, _disk),
        Net = ListOrNull(parsed, _net),
        Serial = parsed.GetValue(_serial),
        Console = parsed.GetValue(_console),
        Balloon = parsed.GetValue(_balloon),
        VmGenId = parsed.GetValue(_vmgenid),
        Qmp = ListOrNull(parsed, _qmp),
        Primary = parsed.GetValue(_primary),
        Secondary = parsed.GetValue(_secondary),
        Incoming = parsed.GetValue(_incoming),
        CheckpointDelay = parsed.GetValue(_delay),
        Paused = parsed.GetValue(_paused) ? true : null,
        NoShutdown = parsed.GetValue(_noShutdown) ? true : null,
        NoReboot = parsed.GetValue(_noReboot) ? true : null,
        Log = parsed.GetValue(_log),
        Trace = ListOrNull(parsed, _trace),
        TraceFile = parsed.GetValue(_traceFile),
        VerifyCheckpoints = parsed.GetValue(_verify) ? true : null,
        HeartbeatTimeout = parsed.GetValue(_heartbeat),
        DirtyTracking = parsed.GetValue(_tracking),
    };

    private static string[]? ListOrNull(ParseResult parsed, Option<string[]> option) =>
        parsed.GetValue(option) is { Length: > 0 } values ? values : null;
}
