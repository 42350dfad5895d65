using Kvm.Colo.Cli.Hosting;
using Kvm.Colo.Cli.Terminal;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Client;
using Kvm.Colo.Qmp.Migration;
using Kvm.Colo.SystemTests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kvm.Colo.SystemTests;

/// <summary>A real machine behind a real monitor socket, joined by the adapters of <c>colo-vm run</c>.</summary>
internal sealed class RunStateVm : IDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("colo-qmp-").FullName;
    private readonly KvmSystem _kvm = KvmSystem.Open();
    private readonly QmpServer _server;
    private readonly QmpAddress _address;

    public RunStateVm(bool incoming = false, Func<MachineConfig, MachineConfig>? adjust = null)
    {
        EventBridge events = new(trace: null, NullLogger.Instance, new ProgressLine(isQuiet: true));
        SettingsBridge settings = new();
        settings.Set(MigrationParameterTable.HeartbeatTimeout, 5000u); // a busy host is no silent peer
        MachineConfig config = new() { MemoryBytes = 4 << 20, Boot = RunStateGuest.Source, Serial = Console, IsIncoming = incoming };
        config = adjust?.Invoke(config) ?? config;
        Machine = VirtualMachine.Create(config, _kvm, events, NullLogger.Instance, TimeProvider.System);
        Manager = new MigrationManager(Machine, settings.Runtime, events);
        events.Connect(Machine);
        MachineHost host = new(
            Machine,
            new QmpMachineAdapter(Machine),
            new QmpMigrationAdapter(Machine, Manager, settings, events),
            new QmpColoAdapter(Manager),
            new QmpDevicesAdapter(Machine, "null"));
        _server = new QmpServer(host, new QmpServerOptions());
        events.Connect(_server);
        _address = _server.Listen(QmpAddress.Parse($"unix:{_folder}/qmp"));
        Client = Connect();
    }

    /// <summary>Goes with the machine.</summary>
    public string Folder => _folder;

    public ConsoleCapture Console { get; } = new();

    public VirtualMachine Machine { get; }

    public MigrationManager Manager { get; }

    public QmpClient Client { get; }

    public QmpAddress Address => _address;

    /// <summary>Another monitor.</summary>
    public QmpClient Connect(bool outOfBand = false) => QmpClient.Connect(_address, new QmpClientOptions { OutOfBand = outOfBand, Deadline = s_deadline });

    /// <summary>Runs a command and returns the error's text, empty for success.</summary>
    public string Try(string command, string? arguments = null)
    {
        try
        {
            Client.Execute(command, arguments);
            return "";
        }
        catch (QmpCommandException e)
        {
            return e.Message;
        }
    }

    /// <summary>The events that have arrived, with guest and reason where they have them.</summary>
    public static List<string> Take(QmpClient client)
    {
        List<string> names = [];
        while (client.TryTakeEvent(TimeSpan.Zero, out QmpClientEvent item))
            names.Add(item.Data.ValueKind == System.Text.Json.JsonValueKind.Object ? $"{item.Name} {string.Join(' ', item.Data.EnumerateObject().Select(static p => p.Value.ToString()))}" : item.Name);
        return names;
    }

    /// <summary>The answer of a command without arguments.</summary>
    public System.Text.Json.JsonElement Ask(string command) => Client.Execute(command);

    /// <summary>Waits for an event whose data, as JSON, has this in it.</summary>
    public QmpClientEvent WaitForEvent(string name, string part)
    {
        while (true)
        {
            QmpClientEvent item = Client.WaitForEvent(name);
            if (item.Data.GetRawText().Contains(part, StringComparison.Ordinal))
                return item;
        }
    }

    public string Status => Client.Execute("query-status").GetProperty("status").GetString()!;

    public void Dispose()
    {
        Manager.Dispose();
        Machine.Dispose();
        Client.Dispose();
        _server.Dispose();
        _kvm.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
