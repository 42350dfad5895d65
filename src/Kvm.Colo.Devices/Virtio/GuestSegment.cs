using Kvm.Colo.Memory;

namespace Kvm.Colo.Devices.Virtio;

/// <summary>One buffer of a chain; it was inside one range of RAM when the chain was taken, and RAM does not move.</summary>
internal readonly record struct GuestSegment(GuestPhysicalAddress Address, uint LengthBytes);
