namespace Kvm.Colo.Qmp.Migration;

/// <summary>QAPI <c>MigrationCapabilityStatus</c>.</summary>
internal sealed record MigrationCapabilityStatus(MigrationCapability Capability, bool State);
