using Kvm.Colo.Kvm;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>One real machine on /dev/kvm with a console that is captured; disposing it ends everything it started.</summary>
internal sealed class TestMachine : IDisposable
{
    private readonly KvmSystem _kvm;

    public TestMachine(
        string? image, string append = "", ulong memoryMiB = 32, int cpus = 1, bool incoming = false, ILogger? logger = null,
        Func<MachineConfig, MachineConfig>? adjust = null)
    {
        _kvm = KvmSystem.Open();
        MachineConfig config = new()
        {
            MemoryBytes = memoryMiB << 20,
            Cpus = cpus,
            IsIncoming = incoming,
            Boot = image is null ? null : TestImages.Boot(image, append),
            Serial = Console,
        };
        config = adjust?.Invoke(config) ?? config;
        Machine = VirtualMachine.Create(config, _kvm, Recorder, logger ?? NullLogger.Instance, TimeProvider.System);

        // Few tests are about a silent peer; in all others a host that has no time for us for a second or two must not count as one.
        Migration = new MigrationManager(Machine, new MigrationSettings { HeartbeatTimeoutMs = 5000 }, Recorder);
    }

    public ConsoleCapture Console { get; } = new();

    public MachineRecorder Recorder { get; } = new();

    public VirtualMachine Machine { get; }

    public MigrationManager Migration { get; }

    public MachineEnd WaitForEnd(int seconds = 30) =>
        Machine.Ended.Wait(TimeSpan.FromSeconds(seconds))
            ? Machine.Ended.Result
            : throw new TimeoutException($"the machine did not end within {seconds} s; console:\n{Console.Text}");

    public void Dispose()
    {
        Migration.Dispose();
        Machine.Dispose();
        _kvm.Dispose();
    }
}
