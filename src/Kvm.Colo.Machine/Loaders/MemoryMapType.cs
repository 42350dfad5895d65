namespace Kvm.Colo.Machine.Loaders;

/// <summary>Range types of an E820 map (ACPI 6.5, table 15.1); PVH and Multiboot use the same numbers.</summary>
internal enum MemoryMapType : uint
{
    Ram = 1,
    Reserved = 2,
}
