namespace Kvm.Colo.Stream;

/// <summary>Element 0x07: what the source is, and in the subsection <c>configuration/colo-vm</c> what it can do beyond QEMU.
/// Immutable; built once per migration.</summary>
internal sealed record StreamConfiguration
{
    public const int MaxMachineTypeBytes = 255;
    public const int MaxCapabilities = 64;

    internal const string UuidSection = "configuration/uuid";
    internal const string TargetPageBitsSection = "configuration/target-page-bits";
    internal const string CapabilitiesSection = "configuration/capabilities";
    internal const string ColoSection = "configuration/colo-vm";

    public required string MachineType { get; init; }

    /// <summary>The VM's UUID, 16 bytes in the order of its text form; null when the source did not send it.</summary>
    public Guid? Uuid { get; init; }

    /// <summary>Our own subsection; null when the peer is not colo-vm.</summary>
    public ColoConfiguration? Colo { get; init; }

    /// <summary>log2 of the page size if the source named it (<c>configuration/target-page-bits</c>).</summary>
    public uint? TargetPageBits { get; init; }

    /// <summary>Migration capabilities by QAPI name, from a QEMU source; never written by us.</summary>
    public IReadOnlyList<string> Capabilities { get; init; } = [];
}
