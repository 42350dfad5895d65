using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Devices.Virtio.Balloon;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine.Loaders;

namespace Kvm.Colo.Machine;

/// <summary>What a machine is made of; checked by whoever read it from the user.</summary>
internal sealed record MachineConfig
{
    public const int MaxCpus = 16;

    /// <summary>Disks and network cards together; the other places are for entropy, console and balloon.</summary>
    public static int MaxDisksAndNets => VirtioSlots.Count - 3;

    public required ulong MemoryBytes { get; init; }

    /// <summary>1 to <see cref="MaxCpus"/>.</summary>
    public int Cpus { get; init; } = 1;

    /// <summary>The CPU the guest is booted on; one that arrives over a link keeps its own.</summary>
    public CpuModel CpuModel { get; init; }

    public string? Name { get; init; }

    public Guid Uuid { get; init; }

    public DirtyTracking DirtyTracking { get; init; }

    /// <summary>Whether the guest arrives over a link: its RAM is then a replica over a committed image.</summary>
    public bool IsIncoming { get; init; }

    /// <summary>Whether a reset by the guest ends the machine.</summary>
    public bool NoReboot { get; init; }

    /// <summary>Whether the process stays when the guest switches itself off.</summary>
    public bool NoShutdown { get; init; }

    /// <summary>What a guest's panic does.</summary>
    public PanicAction Panic { get; init; } = PanicAction.Shutdown;

    /// <summary>What to boot, now or, when the guest arrives over a link, at its next reset; null for nothing.</summary>
    public BootSource? Boot { get; init; }

    public IReadOnlyList<DiskConfig> Disks { get; init; } = [];

    public IReadOnlyList<NetConfig> Nets { get; init; } = [];

    /// <summary>The host's end of COM1; owned by the machine.</summary>
    public required ISerialBackend Serial { get; init; }

    /// <summary>The host's end of a virtio console (hvc0); owned by the machine. Null for none.</summary>
    public ISerialBackend? Console { get; init; }

    /// <summary>The memory balloon; null for none.</summary>
    public VirtioBalloonConfig? Balloon { get; init; }

    /// <summary>Whether the guest has a VM generation id.</summary>
    public bool HasGenerationId { get; init; }

    /// <summary>Its value; null for a new one at every start and restore.</summary>
    public Guid? GenerationId { get; init; }
}
