using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Devices.Virtio.Balloon;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Qmp;

namespace Kvm.Colo.Cli.Options;

/// <summary>The checked options of <c>colo-vm run</c>.</summary>
internal sealed record RunOptions
{
    public string? Kernel { get; init; }

    public string? Initrd { get; init; }

    public string? Append { get; init; }

    public required ulong MemoryBytes { get; init; }

    public required int Cpus { get; init; }

    public CpuModel CpuModel { get; init; }

    public string? Name { get; init; }

    public Guid Uuid { get; init; }

    public IReadOnlyList<DiskConfig> Disks { get; init; } = [];

    public IReadOnlyList<NetConfig> Nets { get; init; } = [];

    public required SerialBackendSpec Serial { get; init; }

    /// <summary>The option's text, as <c>query-chardev</c> tells it.</summary>
    public required string SerialText { get; init; }

    /// <summary>The virtio console's end; null without one.</summary>
    public SerialBackendSpec? Console { get; init; }

    /// <summary>The option's text.</summary>
    public string? ConsoleText { get; init; }

    public VirtioBalloonConfig? Balloon { get; init; }

    public bool HasGenerationId { get; init; }

    /// <summary>The generation id that was given; null for a new one.</summary>
    public Guid? GenerationId { get; init; }

    public IReadOnlyList<QmpAddress> Monitors { get; init; } = [];

    public MachineRole Role { get; init; }

    /// <summary>The other side's address or where to listen; null for an ordinary VM and for <c>--incoming defer</c>.</summary>
    public MigrationUri? Peer { get; init; }

    public int? CheckpointDelayMs { get; init; }

    public int? HeartbeatTimeoutMs { get; init; }

    public bool VerifyCheckpoints { get; init; }

    public bool StartsPaused { get; init; }

    public bool NoShutdown { get; init; }

    public bool NoReboot { get; init; }

    public DirtyTracking DirtyTracking { get; init; }

    public Verbosity Verbosity { get; init; } = Verbosity.Info;

    public IReadOnlyList<string> TracePatterns { get; init; } = [];

    public string? TraceFile { get; init; }

    public bool IsIncoming => Role is MachineRole.Secondary or MachineRole.Incoming;
}
