namespace Kvm.Colo.Qmp.Migration;

/// <summary>What the machine's migration can do; everything else is refused when a client asks for it.</summary>
internal sealed record MigrationSupport
{
    public required IReadOnlySet<MigrationCapability> Capabilities { get; init; }

    public IReadOnlySet<MultifdCompression> Compressions { get; init; } =
        new HashSet<MultifdCompression> { MultifdCompression.None };

    public IReadOnlySet<MigrationMode> Modes { get; init; } = new HashSet<MigrationMode> { MigrationMode.Normal };

    public bool Tls { get; init; }
}
