namespace Kvm.Colo.Machine.Loaders;

/// <summary>Puts descriptor tables and page tables into guest memory and says which registers go with them.</summary>
internal static class ProcessorSetup
{
    private const ulong Code32 = 0x00CF_9B00_0000_FFFF;
    private const ulong Code64 = 0x00AF_9B00_0000_FFFF;
    private const ulong Data32 = 0x00CF_9300_0000_FFFF;
    private const ulong Task32 = 0x0000_8B00_0000_0067;
    private const ulong Task64 = 0x008F_8B00_0000_FFFF;
    private const ushort CodeSelector = 0x08;
    private const ushort DataSelector = 0x10;
    private const ushort TaskSelector = 0x18;
    private const int GdtEntries = 4;

    private const ulong Cr0ProtectedMode = 1;
    private const ulong Cr0ExtensionType = 1 << 4;
    private const ulong Cr0Paging = 1u << 31;
    private const ulong Cr4PhysicalAddressExtension = 1 << 5;
    private const ulong EferLongMode = 0x500;
    private const ulong PagePresentWritable = 0x3;
    private const ulong LargePage = 0x80;
    private const int WordsPerTable = 512;
    private const int IdentityGib = 4;

    /// <summary>
    /// Real mode at 0000:7C00 with the first disk's number in DL, as a PC BIOS leaves it; no BIOS answers, though.
    /// </summary>
    public static BootPlan RealMode() => new()
    {
        Protocol = BootProtocol.BootSector,
        Mode = BootMode.Real,
        EntryPoint = BootLayout.BootSector,
        StackPointer = BootLayout.BootSector,
        Rdx = 0x80,
        Cr0 = Cr0ExtensionType,
        Code = BootSegment.RealMode(0, isCode: true),
        Data = BootSegment.RealMode(0, isCode: false),
        Task = new BootSegment(0, 0, 0xFFFF, 0xB, false, false, false, false, true),
        IdtLimit = 0x3FF,
    };

    /// <summary>Flat 32-bit protected mode without paging.</summary>
    public static BootPlan Protected32(BootWriter writer, BootProtocol protocol, ulong entryPoint)
    {
        PlaceTables(writer, Code32, Task32);
        return new BootPlan
        {
            Protocol = protocol,
            Mode = BootMode.Protected32,
            EntryPoint = entryPoint,
            Cr0 = Cr0ProtectedMode | Cr0ExtensionType,
            Code = BootSegment.FromDescriptor(CodeSelector, Code32),
            Data = BootSegment.FromDescriptor(DataSelector, Data32),
            Task = BootSegment.FromDescriptor(TaskSelector, Task32),
            GdtBase = BootLayout.Gdt,
            GdtLimit = (GdtEntries * sizeof(ulong)) - 1,
            IdtBase = BootLayout.Idt,
            IdtLimit = sizeof(ulong) - 1,
        };
    }

    /// <summary>64-bit mode with the first 4 GiB mapped one to one by 2 MiB pages.</summary>
    public static BootPlan Long64(BootWriter writer, BootProtocol protocol, ulong entryPoint)
    {
        PlaceTables(writer, Code64, Task64);
        PlacePageTables(writer);
        return new BootPlan
        {
            Protocol = protocol,
            Mode = BootMode.Long64,
            EntryPoint = entryPoint,
            StackPointer = BootLayout.Stack,
            Rsi = BootLayout.ZeroPage,
            Cr0 = Cr0ProtectedMode | Cr0ExtensionType | Cr0Paging,
            Cr3 = BootLayout.PageTables,
            Cr4 = Cr4PhysicalAddressExtension,
            Efer = EferLongMode,
            Code = BootSegment.FromDescriptor(CodeSelector, Code64),
            Data = BootSegment.FromDescriptor(DataSelector, Data32),
            Task = BootSegment.FromDescriptor(TaskSelector, Task64),
            GdtBase = BootLayout.Gdt,
            GdtLimit = (GdtEntries * sizeof(ulong)) - 1,
            IdtBase = BootLayout.Idt,
            IdtLimit = sizeof(ulong) - 1,
        };
    }

    private static void PlaceTables(BootWriter writer, ulong code, ulong task)
    {
        writer.PlaceWords("boot GDT", BootLayout.Gdt, [0, code, Data32, task]);
        writer.PlaceWords("boot IDT", BootLayout.Idt, [0]);
    }

    // One PML4, one PDPT, then a page directory for each GiB.
    private static void PlacePageTables(BootWriter writer)
    {
        ulong[] words = new ulong[(2 + IdentityGib) * WordsPerTable];
        words[0] = (BootLayout.PageTables + 0x1000) | PagePresentWritable;
        for (int gib = 0; gib < IdentityGib; gib++)
            words[WordsPerTable + gib] = (BootLayout.PageTables + 0x2000 + ((ulong)gib * 0x1000)) | PagePresentWritable;
        for (int page = 0; page < IdentityGib * WordsPerTable; page++)
            words[(2 * WordsPerTable) + page] = ((ulong)page << 21) | LargePage | PagePresentWritable;
        writer.PlaceWords("boot page tables", BootLayout.PageTables, words);
    }
}
