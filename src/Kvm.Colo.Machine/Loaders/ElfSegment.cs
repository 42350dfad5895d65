namespace Kvm.Colo.Machine.Loaders;

/// <summary>One PT_LOAD header whose file range has been checked.</summary>
internal readonly record struct ElfSegment(
    int FileOffset, int FileBytes, ulong VirtualAddress, ulong PhysicalAddress, ulong MemoryBytes);
