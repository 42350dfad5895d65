namespace Kvm.Colo.HostTests;

/// <summary>One emulated host with one CPU.</summary>
public sealed class OneCpuHostFixture() : OneHostFixture(cpus: 1);
