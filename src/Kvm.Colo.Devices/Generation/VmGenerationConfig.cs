using Kvm.Colo.Memory;

namespace Kvm.Colo.Devices.Generation;

/// <summary>Where the generation id lies and what it is at first.</summary>
/// <param name="Address">Its place in RAM that the memory map calls reserved, aligned to 8 bytes.</param>
/// <param name="Id">The id the user gave; null for a new one at every start and every restore.</param>
internal sealed record VmGenerationConfig(GuestPhysicalAddress Address, Guid? Id);
