using System.Buffers.Binary;

namespace Kvm.Colo.Machine.Loaders;

/// <summary>Starts an ELF kernel by its PVH entry (Xen public/arch-x86/hvm/start_info.h, version 1).</summary>
internal static class PvhLoader
{
    private const uint StartInfoMagic = 0x336E_C578;
    private const int StartInfoBytes = 56;
    private const int ModuleBytes = 32;
    private const int MapEntryBytes = 24;

    public static BootPlan Load(ElfImage elf, BootSource source, BootWriter writer, ulong rsdp)
    {
        ulong entry = elf.PvhEntry!.Value;
        if (entry > uint.MaxValue || elf.PhysicalEntry(entry) != entry)
            throw new BootImageException($"the PVH entry 0x{entry:x} lies outside the loaded segments");
        BootPlan plan = ProcessorSetup.Protected32(writer, BootProtocol.Pvh, entry);
        IReadOnlyList<MemoryMapEntry> map = PlaceMap(writer);
        writer.PlaceCommandLine(source.CommandLine, ulong.MaxValue);
        writer.Claim("PVH start info", BootLayout.StartInfo, StartInfoBytes);
        writer.Claim("PVH module list", BootLayout.ModuleList, ModuleBytes);
        elf.Load(source.Kernel.Span, writer);
        bool hasModule = PlaceModule(source, writer);

        Span<byte> info = stackalloc byte[StartInfoBytes];
        info.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(info, StartInfoMagic);
        BinaryPrimitives.WriteUInt32LittleEndian(info[4..], 1);
        BinaryPrimitives.WriteUInt32LittleEndian(info[12..], hasModule ? 1u : 0u);
        BinaryPrimitives.WriteUInt64LittleEndian(info[16..], hasModule ? BootLayout.ModuleList : 0);
        BinaryPrimitives.WriteUInt64LittleEndian(info[24..], BootLayout.CommandLine);
        BinaryPrimitives.WriteUInt64LittleEndian(info[32..], rsdp);
        BinaryPrimitives.WriteUInt64LittleEndian(info[40..], BootLayout.MemoryMap);
        BinaryPrimitives.WriteUInt32LittleEndian(info[48..], (uint)map.Count);
        writer.Write(BootLayout.StartInfo, info);
        return plan with { Rbx = BootLayout.StartInfo };
    }

    private static IReadOnlyList<MemoryMapEntry> PlaceMap(BootWriter writer)
    {
        IReadOnlyList<MemoryMapEntry> map = MemoryMap.Build(writer.Memory);
        byte[] bytes = new byte[map.Count * MapEntryBytes];
        for (int i = 0; i < map.Count; i++)
        {
            Span<byte> entry = bytes.AsSpan(i * MapEntryBytes, MapEntryBytes);
            BinaryPrimitives.WriteUInt64LittleEndian(entry, map[i].Start);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], map[i].SizeBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[16..], (uint)map[i].Type);
        }

        writer.Place("PVH memory map", BootLayout.MemoryMap, bytes);
        return map;
    }

    private static bool PlaceModule(BootSource source, BootWriter writer)
    {
        if (source.Initrd.IsEmpty)
            return false;
        ulong at = writer.PlaceHighest("initrd", source.Initrd.Span, ulong.MaxValue);
        Span<byte> module = stackalloc byte[ModuleBytes];
        module.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(module, at);
        BinaryPrimitives.WriteUInt64LittleEndian(module[8..], (ulong)source.Initrd.Length);
        writer.Write(BootLayout.ModuleList, module);
        return true;
    }
}
