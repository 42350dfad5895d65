namespace Kvm.Colo.Devices;

/// <summary>A window of guest-physical addresses owned by one device.</summary>
internal readonly record struct MmioRange(ulong Start, ulong SizeBytes, string Name, IMmioDevice Device);
