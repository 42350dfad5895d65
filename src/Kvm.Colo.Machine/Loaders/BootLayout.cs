namespace Kvm.Colo.Machine.Loaders;

/// <summary>
/// Where the loaders put things in guest memory. Everything below 1 MiB that is not listed is free RAM for the guest.
/// </summary>
internal static class BootLayout
{
    public const ulong Gdt = 0x500;
    public const ulong Idt = 0x520;
    public const ulong StartInfo = 0x6000;
    public const ulong ModuleList = 0x6100;
    public const ulong LoaderName = 0x6200;
    public const ulong MemoryMap = 0x7000;
    public const ulong ZeroPage = 0x7000;
    public const ulong Stack = 0x8FF0;
    public const ulong PageTables = 0x9000;
    public const ulong PageTablesBytes = 0x6000;
    public const ulong BootSector = 0x7C00;
    public const ulong BootSectorMaxBytes = 0x10000;
    public const ulong CommandLine = 0x20000;
    public const ulong CommandLineMaxBytes = 0x10000;

    /// <summary>End of conventional memory; from here to 1 MiB the map says reserved.</summary>
    public const ulong LowRamEnd = 0x9FC00;
    public const ulong Rsdp = 0xE0000;
    public const ulong AcpiTables = 0xE0040;

    /// <summary>The VM generation id, in a page of its own behind the tables.</summary>
    public const ulong VmGeneration = 0xFE000;
    public const ulong HighRam = 0x10_0000;
}
