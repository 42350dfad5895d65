using System.Collections.Concurrent;
using System.Text.Json;
using Kvm.Colo.Qmp.Hosting;
using Kvm.Colo.Qmp.Migration;
using Kvm.Colo.Qmp.Schema;

namespace Kvm.Colo.Qmp.Tests;

/// <summary>A machine without a machine: run states and settings for real, a control loop of its own, no guest.</summary>
internal sealed class TestHost : IQmpHost, IQmpMachine, IQmpMigration, IQmpColo, IQmpDevices, IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _loop;
    private volatile QmpRunState _state = QmpRunState.Running;

    public TestHost()
    {
        Objects.Add("/machine/cpu[0]", "x86_64-cpu", new QmpObjectProperty("start-powered-off", "bool", static () => false));
        Objects.Add("/objects/knob", "knob", new QmpObjectProperty("turns", "int", () => Turns,
            value => Turns = QmpTypes.Int.Read(value, QmpPath.Root.Member("turns"))));
        _loop = new Thread(Run) { Name = "test-loop" };
        _loop.Start();
    }

    /// <summary>The server this host raises events at; set after both are there.</summary>
    public QmpServer? Server { get; set; }

    public ConcurrentQueue<string> Calls { get; } = new();

    public long Turns { get; private set; } = 3;

    /// <summary>When set, a reset waits for it: a command that blocks.</summary>
    public ManualResetEventSlim? ResetGate { get; set; }

    public SemaphoreSlim ResetStarted { get; } = new(0);

    public IQmpMachine Machine => this;

    public IQmpMigration Migration => this;

    public IQmpColo Colo => this;

    public IQmpDevices Devices => this;

    public string? Name => "test";

    public Guid Uuid => Guid.Empty;

    public ulong MemoryBytes => 64 << 20;

    public QmpRunState RunState => _state;

    public IReadOnlyList<QmpCpu> Cpus => [new QmpCpu(0, Environment.ProcessId, "/machine/cpu[0]")];

    public MigrationSettings Settings { get; } = new(new MigrationSupport
    {
        Capabilities = Enum.GetValues<MigrationCapability>().Where(each => each != MigrationCapability.RdmaPinAll).ToHashSet(),
    });

    public bool InProgress { get; set; }

    public QmpMigrationInfo? Info { get; set; }

    public IReadOnlyList<QmpYankInstance> YankInstances { get; set; } = [new QmpYankInstance(QmpYankKind.Migration, Id: null)];

    public QmpColoStatus Status => new(QmpColoMode.None, QmpColoMode.None, QmpColoExitReason.None);

    public QmpColoStatistics? Statistics { get; set; }

    public string? ReplicationError => null;

    public IReadOnlyList<QmpChardev> Chardevs => [new QmpChardev("serial0", "null", FrontendOpen: true)];

    public IReadOnlyList<QmpBlockDevice> BlockDevices =>
        [new QmpBlockDevice { Device = "disk0", NodeName = "node0", FileName = "disk.raw", Driver = "raw", VirtualSizeBytes =
            512 }];

    public IReadOnlyList<QmpIoThread> IoThreads => [];

    public IReadOnlyList<QmpVirtioDevice> VirtioDevices =>
    [
        new QmpVirtioDevice("disk0", "virtio-blk", 0x4F, GuestFaults: 3, HostErrors: 1),
        new QmpVirtioDevice("net0", "virtio-net", 15, 0, 0, new QmpNetCard { InterfaceName = "tap0", Address = "52:54:00:00:00:01", SentFrames = 7 }),
    ];

    public QmpBalloon? Balloon { get; set; } = new(1 << 20);

    public Guid? GenerationId { get; set; } = new Guid("00112233-4455-6677-8899-aabbccddeeff");

    public QmpObjectTree Objects { get; } = new();

    public bool TryPost(Action work)
    {
        try
        {
            _work.Add(work);
            return true;
        }
        catch (InvalidOperationException) when (_work.IsAddingCompleted)
        {
            return false;
        }
    }

    public QmpMigrationInfo? Query() => Info;

    public void Stop()
    {
        if (_state != QmpRunState.Running)
            return;
        _state = QmpRunState.Paused;
        Server?.EmitStop();
    }

    void IQmpMachine.Continue()
    {
        if (_state == QmpRunState.Running)
            return;
        _state = QmpRunState.Running;
        Server?.EmitResume();
    }

    public void Quit() => Server?.EmitShutdown(guest: false, QmpShutdownCause.HostQmpQuit);

    public void Reset()
    {
        ResetStarted.Release();
        ResetGate?.Wait();
        Server?.EmitReset(guest: false, QmpShutdownCause.HostQmpSystemReset);
    }

    public void PowerDown() => Server?.EmitPowerDown();

    public void WakeUp() => throw new QmpCommandException("Unable to wake up: guest is not in suspended state");

    public void SetAction(QmpActions actions) => Calls.Enqueue(actions.ToString());

    public string DescribeRegisters(int cpuIndex) => $"RIP={cpuIndex:x16}";

    public void Migrate(QmpMigrateRequest request)
    {
        if (request.Resume)
            throw new QmpCommandException("Cannot resume if there is no paused migration");
        Calls.Enqueue($"migrate {request.Uri} {string.Join(' ', request.ExecArguments ?? [])}");
        Server?.EmitMigration(QmpMigrationStatus.Setup);
    }

    public void Incoming(QmpIncomingRequest request) =>
        throw new QmpCommandException("'-incoming' was not specified on the command line");

    public void Cancel() => Calls.Enqueue("cancel");

    void IQmpMigration.Continue(QmpMigrationStatus state) =>
        throw new QmpCommandException("Migration not in expected state: none");

    public void StartPostcopy() =>
        throw new QmpCommandException("Enable postcopy with migrate_set_capability before the start of migration");

    public void Pause() =>
        throw new QmpCommandException("migrate-pause is currently only supported during postcopy-active state");

    public void Recover(string uri) => throw new QmpCommandException("Migrate recover can only be run when postcopy is paused.");

    public void AnnounceSelf(QmpAnnounceRequest request) => Calls.Enqueue($"announce {request.Rounds}");

    public bool TryYank(QmpYankInstance instance)
    {
        Calls.Enqueue($"yank {instance.Kind}");
        return true;
    }

    public void LostHeartbeat() => throw new QmpCommandException("VM is not in COLO mode");

    public void RequestCheckpoint() => throw new QmpCommandException("VM is not in COLO mode");

    public void SetReplication(bool enable, bool primary, bool failover) =>
        Calls.Enqueue($"replication {enable} {primary} {failover}");

    public void CheckpointReplication() => Calls.Enqueue("checkpoint");

    public void AddObject(string qomType, string id, JsonElement properties)
    {
        if (qomType != "knob")
            throw QmpErrors.WrongValue("qom-type", qomType);
        Objects.Add("/objects/" + id, qomType);
    }

    public void SetBalloon(ulong bytes)
    {
        Calls.Enqueue($"balloon {bytes}");
        Server?.EmitBalloonChange(bytes);
    }

    public void DeleteObject(string id)
    {
        if (!Objects.Remove("/objects/" + id))
            throw new QmpCommandException($"object '{id}' not found");
    }

    public void SetLink(string name, bool isUp)
    {
        if (name != "net0")
            throw QmpErrors.DeviceNotFound(name);
        Calls.Enqueue($"link {name} {isUp}");
    }

    public void DeleteDevice(string id) => throw QmpErrors.DeviceNotFound(id);

    public void Dispose()
    {
        if (_work.IsAddingCompleted)
            return;
        ResetGate?.Set();
        _work.CompleteAdding();
        _loop.Join();
        ResetStarted.Dispose();
    }

    private void Run()
    {
        foreach (Action action in _work.GetConsumingEnumerable())
            action();
    }
}
