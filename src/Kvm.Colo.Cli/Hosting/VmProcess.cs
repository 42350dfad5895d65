using Kvm.Colo.Cli.Diagnostics;
using Kvm.Colo.Cli.Options;
using Kvm.Colo.Cli.Terminal;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Loaders;
using Kvm.Colo.Migration;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Migration;

namespace Kvm.Colo.Cli.Hosting;

/// <summary>
/// The life of <c>colo-vm run</c>: what the options name is opened, wired and started, and taken down in the opposite order
/// when the machine ends. Migrations end before the machine they use; monitors end last, so that SHUTDOWN and the last reply
/// arrive.
/// </summary>
internal sealed class VmProcess : IDisposable
{
    private readonly RunOptions _options;
    private readonly StderrLogger _logger;
    private readonly ManualResetEventSlim _endRequested = new(initialState: false, spinCount: 0);
    private readonly SettingsBridge _settings = new();
    private EndSignals? _signals;
    private SerialTerminal? _terminal;
    private TraceLog? _trace;
    private KvmSystem? _kvm;
    private EventBridge _events = null!;
    private VirtualMachine? _machine;
    private MigrationManager? _manager;
    private QmpServer? _server;

    private VmProcess(RunOptions options)
    {
        _options = options;
        _logger = new StderrLogger(options.Verbosity);
    }

    /// <summary>Runs a VM to its end and returns the exit status.</summary>
    public static int Run(RunOptions options)
    {
        using VmProcess process = new(options);
        return process.Run();
    }

    public void Dispose()
    {
        _manager?.Dispose();
        _machine?.Dispose();
        _terminal?.Dispose();
        Messages.Status("");
        _server?.Dispose();
        _trace?.Dispose();
        _kvm?.Dispose();
        _signals?.Dispose();
        _endRequested.Dispose();
    }

    private int Run()
    {
        _signals = new EndSignals(OnSignal, () => _terminal?.Restore());
        _kvm = KvmSystem.Open();
        _trace = TraceLog.Open(_options.TracePatterns, _options.TraceFile, TimeProvider.System);
        _events = new EventBridge(_trace, _logger, new ProgressLine(_options.Verbosity == Verbosity.Quiet));
        CreateMachine();
        Configure();
        OpenMonitors();
        Begin();
        if (_endRequested.IsSet)
            _machine!.Quit(ShutdownCause.HostSignal);
        return _machine!.Ended.GetAwaiter().GetResult().ExitStatus;
    }

    private void CreateMachine()
    {
        BootSource? boot = _options.Kernel is null ? null : BootSource.Read(_options.Kernel, _options.Initrd, _options.Append);
        if (_options.Serial.Kind == SerialBackendKind.Stdio || _options.Console?.Kind == SerialBackendKind.Stdio)
            _terminal = new SerialTerminal(OnTerminalQuit);
        ISerialBackend serial = _options.Serial.Open(_terminal?.Input, _terminal?.Output, _logger);
        ISerialBackend? console = null;
        try
        {
            console = _options.Console?.Open(_terminal?.Input, _terminal?.Output, _logger);
            MachineConfig config = new()
            {
                MemoryBytes = _options.MemoryBytes,
                Cpus = _options.Cpus,
                CpuModel = _options.CpuModel,
                Name = _options.Name,
                Uuid = _options.Uuid,
                DirtyTracking = _options.DirtyTracking,
                IsIncoming = _options.IsIncoming,
                NoReboot = _options.NoReboot,
                NoShutdown = _options.NoShutdown,
                Boot = boot,
                Disks = _options.Disks,
                Nets = _options.Nets,
                Serial = serial,
                Console = console,
                Balloon = _options.Balloon,
                HasGenerationId = _options.HasGenerationId,
                GenerationId = _options.GenerationId,
            };
            _machine = VirtualMachine.Create(config, _kvm!, _events, _logger, TimeProvider.System);
        }
        catch
        {
            serial.Dispose();
            console?.Dispose();
            throw;
        }

        _events.Connect(_machine);
        _manager = new MigrationManager(_machine, _settings.Runtime, _events);
    }

    private void Configure()
    {
        if (_options.Role is MachineRole.Primary or MachineRole.Secondary)
            _settings.EnableColo();
        if (_options.CheckpointDelayMs is { } delay)
            _settings.Set(MigrationParameterTable.CheckpointDelay, (uint)delay);
        if (_options.HeartbeatTimeoutMs is { } timeout)
            _settings.Set(MigrationParameterTable.HeartbeatTimeout, (uint)timeout);
        if (_options.VerifyCheckpoints)
            _settings.Set(MigrationParameterTable.VerifyCheckpoints, value: true);
    }

    private void OpenMonitors()
    {
        if (_options.Monitors.Count == 0)
            return;
        MachineHost host = new(
            _machine!,
            new QmpMachineAdapter(_machine!),
            new QmpMigrationAdapter(_machine!, _manager!, _settings, _events),
            new QmpColoAdapter(_manager!),
            new QmpDevicesAdapter(_machine!, _options.SerialText, _options.ConsoleText));
        _server = new QmpServer(host, new QmpServerOptions
        {
            Package = $"colo-vm {ProductVersion.Text}",
            Log = _options.Verbosity == Verbosity.Debug ? Messages.Line : null,
        });
        _events.Connect(_server);
        foreach (QmpAddress address in _options.Monitors)
        {
            QmpAddress bound = _server.Listen(address);
            if (bound != address && _options.Verbosity >= Verbosity.Info)
                Messages.Line($"monitor listens on {bound}");
        }
    }

    private void Begin()
    {
        if (_options.IsIncoming)
        {
            _events.EndsOnIncomingFailure = _options.Role == MachineRole.Incoming;
            if (_options.StartsPaused)
                _machine!.Stop();
            if (_options.Peer is { } here)
                _manager!.Listen(here, keepListening: _options.Role == MachineRole.Secondary);
            return;
        }

        if (!_options.StartsPaused)
            _machine!.Start();
        if (_options.Role == MachineRole.Primary)
            _manager!.Protect(_options.Peer!);
    }

    private void OnTerminalQuit()
    {
        _endRequested.Set();
        _machine?.Quit(ShutdownCause.HostUi);
    }

    private void OnSignal()
    {
        _endRequested.Set();
        _machine?.Quit(ShutdownCause.HostSignal);
    }
}
