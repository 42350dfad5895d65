namespace Kvm.Colo.Machine.Loaders;

/// <summary>One range of the map the guest is told (E820 types).</summary>
internal readonly record struct MemoryMapEntry(ulong Start, ulong SizeBytes, MemoryMapType Type);
