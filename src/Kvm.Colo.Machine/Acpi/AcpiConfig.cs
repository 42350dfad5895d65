using Kvm.Colo.Devices.Acpi;
using Kvm.Colo.Devices.Serial;

namespace Kvm.Colo.Machine.Acpi;

/// <summary>What the ACPI tables describe.</summary>
internal sealed record AcpiConfig
{
    public const int MaxVcpus = 255;

    public required int VcpuCount { get; init; }

    public IReadOnlyList<Serial16550Config> SerialPorts { get; init; } = [];

    /// <summary>In this order they are found: the first disk becomes vda.</summary>
    public IReadOnlyList<AcpiVirtioDevice> VirtioDevices { get; init; } = [];

    /// <summary>The power registers; without them the guest can neither power off nor reset through ACPI.</summary>
    public AcpiPowerConfig? Power { get; init; }

    public bool HasRtc { get; init; }

    /// <summary>Where the VM generation id lies; null without one. Its event needs <see cref="Power"/>.</summary>
    public ulong? GenerationAddress { get; init; }

    /// <summary>Where a kernel reports its panic; null without such a port.</summary>
    public ushort? PanicPort { get; init; }

    public uint LocalApicAddress { get; init; } = 0xFEE0_0000;

    public uint IoApicAddress { get; init; } = 0xFEC0_0000;

    public byte IoApicId { get; init; }
}
