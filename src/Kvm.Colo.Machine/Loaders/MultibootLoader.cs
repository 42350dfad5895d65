using System.Buffers.Binary;
using System.Text;

namespace Kvm.Colo.Machine.Loaders;

/// <summary>
/// Starts a Multiboot 1 image (Multiboot Specification 0.6.96): a 32-bit ELF, or any format whose header carries addresses.
/// Handed over are memory sizes, the memory map, the command line, one module and the loader's name.
/// </summary>
internal static class MultibootLoader
{
    private const uint LoaderMagic = 0x2BAD_B002;
    private const int InfoBytes = 120;
    private const int ModuleBytes = 16;
    private const int MapEntryBytes = 24;
    private const uint InfoMemory = 1 << 0;
    private const uint InfoCommandLine = 1 << 2;
    private const uint InfoModules = 1 << 3;
    private const uint InfoMemoryMap = 1 << 6;
    private const uint InfoLoaderName = 1 << 9;

    public static BootPlan Load(MultibootHeader header, ElfImage? elf, BootSource source, BootWriter writer)
    {
        if (header.HasUnknownRequirements)
            throw new BootImageException($"the Multiboot header asks for features 0x{header.Flags:x} that do not exist");
        ulong entry = FindEntry(header, elf);
        BootPlan plan = ProcessorSetup.Protected32(writer, BootProtocol.Multiboot, entry);
        int mapBytes = PlaceMap(writer);
        uint textBytes = writer.PlaceCommandLine($"{source.KernelName} {source.CommandLine}".TrimEnd(' '), ulong.MaxValue);
        writer.Place("Multiboot loader name", BootLayout.LoaderName, "colo-vm\0"u8);
        writer.Claim("Multiboot information", BootLayout.StartInfo, InfoBytes);
        writer.Claim("Multiboot module list", BootLayout.ModuleList, ModuleBytes);
        if (header.HasAddressFields)
            PlaceByAddressFields(header, source.Kernel.Span, writer);
        else
            elf!.Load(source.Kernel.Span, writer);
        bool hasModule = PlaceModule(source, writer, (uint)BootLayout.CommandLine + textBytes);

        Span<byte> info = stackalloc byte[InfoBytes];
        info.Clear();
        uint flags = InfoMemory | InfoCommandLine | InfoMemoryMap | InfoLoaderName | (hasModule ? InfoModules : 0);
        Put(info, 0, flags);
        Put(info, 4, (uint)(BootLayout.LowRamEnd >> 10));
        Put(info, 8, (uint)((writer.LowRamEnd - BootLayout.HighRam) >> 10));
        Put(info, 16, (uint)BootLayout.CommandLine);
        Put(info, 20, hasModule ? 1u : 0u);
        Put(info, 24, hasModule ? (uint)BootLayout.ModuleList : 0u);
        Put(info, 44, (uint)mapBytes);
        Put(info, 48, (uint)BootLayout.MemoryMap);
        Put(info, 64, (uint)BootLayout.LoaderName);
        writer.Write(BootLayout.StartInfo, info);
        return plan with { Rax = LoaderMagic, Rbx = BootLayout.StartInfo };
    }

    private static ulong FindEntry(MultibootHeader header, ElfImage? elf)
    {
        if (header.HasAddressFields)
            return header.Entry;
        if (elf is null)
            throw new BootImageException("the Multiboot image is no ELF file and its header carries no addresses");
        if (elf.Is64Bit)
            throw new BootImageException("the Multiboot image is a 64-bit ELF file, Multiboot 1 takes 32-bit ones");
        return elf.PhysicalEntry(elf.Entry);
    }

    private static void PlaceByAddressFields(MultibootHeader header, ReadOnlySpan<byte> image, BootWriter writer)
    {
        if (header.HeaderAddress < header.LoadAddress || header.HeaderAddress - header.LoadAddress > (uint)header.FileOffset)
            throw new BootImageException("the Multiboot header's load address lies before the start of the file");
        int fileOffset = header.FileOffset - (int)(header.HeaderAddress - header.LoadAddress);
        uint fileBytes = header.LoadEnd == 0 ? (uint)(image.Length - fileOffset) : unchecked(header.LoadEnd - header.LoadAddress);
        if ((header.LoadEnd != 0 && header.LoadEnd < header.LoadAddress) || fileBytes > (uint)(image.Length - fileOffset))
            throw new BootImageException("the Multiboot header's load end lies outside the file");
        ulong loadEnd = (ulong)header.LoadAddress + fileBytes;
        ulong end = header.BssEnd == 0 ? loadEnd : header.BssEnd;
        if (end < loadEnd)
            throw new BootImageException("the Multiboot header's BSS ends before its load end");
        if (header.Entry < header.LoadAddress || header.Entry >= loadEnd)
            throw new BootImageException($"the entry point 0x{header.Entry:x} lies outside the loaded image");
        writer.Claim("Multiboot image", header.LoadAddress, end - header.LoadAddress);
        writer.Write(header.LoadAddress, image.Slice(fileOffset, (int)fileBytes));
        writer.Fill(loadEnd, end - loadEnd);
    }

    private static int PlaceMap(BootWriter writer)
    {
        IReadOnlyList<MemoryMapEntry> map = MemoryMap.Build(writer.Memory);
        byte[] bytes = new byte[map.Count * MapEntryBytes];
        for (int i = 0; i < map.Count; i++)
        {
            Span<byte> entry = bytes.AsSpan(i * MapEntryBytes, MapEntryBytes);
            // The size field does not count itself.
            Put(entry, 0, MapEntryBytes - sizeof(uint));
            BinaryPrimitives.WriteUInt64LittleEndian(entry[4..], map[i].Start);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[12..], map[i].SizeBytes);
            Put(entry, 20, (uint)map[i].Type);
        }

        writer.Place("Multiboot memory map", BootLayout.MemoryMap, bytes);
        return bytes.Length;
    }

    private static bool PlaceModule(BootSource source, BootWriter writer, uint emptyText)
    {
        if (source.Initrd.IsEmpty)
            return false;
        ulong at = writer.PlaceAfterAll("module", source.Initrd.Span);
        Span<byte> module = stackalloc byte[ModuleBytes];
        module.Clear();
        Put(module, 0, (uint)at);
        Put(module, 4, (uint)(at + (ulong)source.Initrd.Length));
        Put(module, 8, emptyText);
        writer.Write(BootLayout.ModuleList, module);
        return true;
    }

    private static void Put(Span<byte> target, int at, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(target[at..], value);
}
