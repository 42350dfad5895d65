using System.Buffers.Binary;

namespace Kvm.Colo.Machine.Loaders;

/// <summary>
/// Starts Linux by its 64-bit entry with a zero page (Linux Documentation/arch/x86/boot.rst and zero-page.rst).
/// </summary>
internal static class LinuxLoader
{
    private const int ZeroPageBytes = 4096;
    private const int MapEntryBytes = 20;
    private const int MapMaxEntries = 128;
    private const uint EntryOffset = 0x200;
    private const byte UnknownLoader = 0xFF;
    private const uint VmlinuxInitrdMax = 0x7FFF_FFFF;

    /// <summary>Loads a bzImage whose header has been checked.</summary>
    public static BootPlan LoadBzImage(LinuxHeader header, BootSource source, BootWriter writer, ulong rsdp)
    {
        ReadOnlySpan<byte> image = source.Kernel.Span;
        ReadOnlySpan<byte> kernel = image[header.KernelOffset..];
        ulong load = ChooseAddress(header, (ulong)kernel.Length, writer);
        BootPlan plan = ProcessorSetup.Long64(writer, BootProtocol.BzImage, load + EntryOffset);
        writer.Claim("zero page", BootLayout.ZeroPage, ZeroPageBytes);
        writer.PlaceCommandLine(source.CommandLine, header.CommandLineMaxBytes);
        writer.Claim("Linux kernel", load, Math.Max(header.InitBytes, (ulong)kernel.Length));
        writer.Write(load, kernel);

        byte[] page = new byte[ZeroPageBytes];
        image[LinuxHeader.Offset..header.End].CopyTo(page.AsSpan(LinuxHeader.Offset));
        FillZeroPage(page, source, writer, rsdp, header.InitrdMaxAddress);
        return plan;
    }

    /// <summary>Loads an unpacked 64-bit kernel.</summary>
    public static BootPlan LoadVmlinux(ElfImage elf, BootSource source, BootWriter writer, ulong rsdp)
    {
        BootPlan plan = ProcessorSetup.Long64(writer, BootProtocol.Vmlinux, elf.PhysicalEntry(elf.Entry));
        writer.Claim("zero page", BootLayout.ZeroPage, ZeroPageBytes);
        writer.PlaceCommandLine(source.CommandLine, ulong.MaxValue);
        elf.Load(source.Kernel.Span, writer);

        byte[] page = new byte[ZeroPageBytes];
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(0x1FE), 0xAA55);
        "HdrS"u8.CopyTo(page.AsSpan(0x202));
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(0x206), 0x020C);
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(0x230), 0x100_0000);
        FillZeroPage(page, source, writer, rsdp, VmlinuxInitrdMax);
        return plan;
    }

    // Where it asks to be if that is RAM, else as low as its alignment allows: the same choice the kernel's own stub would make.
    private static ulong ChooseAddress(LinuxHeader header, ulong kernelBytes, BootWriter writer)
    {
        ulong needed = Math.Max(header.InitBytes, kernelBytes);
        if (header.PreferredAddress >= BootLayout.HighRam && Fits(header.PreferredAddress, needed, writer.LowRamEnd))
            return header.PreferredAddress;
        if (header.IsRelocatable)
        {
            ulong lowest = (BootLayout.HighRam + header.Alignment - 1) & ~(header.Alignment - 1);
            if (Fits(lowest, needed, writer.LowRamEnd))
                return lowest;
        }

        throw new BootImageException(
            $"the Linux kernel needs {needed >> 10} KiB at 0x{header.PreferredAddress:x}, "
            + $"the guest has {writer.Memory.SizeBytes >> 20} MiB of RAM");
    }

    private static bool Fits(ulong start, ulong sizeBytes, ulong end) => start <= end && sizeBytes <= end - start;

    private static void FillZeroPage(byte[] page, BootSource source, BootWriter writer, ulong rsdp, ulong initrdMaxAddress)
    {
        page[0x210] = UnknownLoader;
        page[0x211] |= 1;
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(0x228), (uint)BootLayout.CommandLine);
        BinaryPrimitives.WriteUInt64LittleEndian(page.AsSpan(0x70), rsdp);
        if (!source.Initrd.IsEmpty)
        {
            ulong limit = initrdMaxAddress == 0 ? ulong.MaxValue : initrdMaxAddress + 1;
            ulong at = writer.PlaceHighest("initrd", source.Initrd.Span, limit);
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(0x218), (uint)at);
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(0x21C), (uint)source.Initrd.Length);
        }

        IReadOnlyList<MemoryMapEntry> map = MemoryMap.Build(writer.Memory);
        int entries = Math.Min(map.Count, MapMaxEntries);
        page[0x1E8] = (byte)entries;
        for (int i = 0; i < entries; i++)
        {
            Span<byte> entry = page.AsSpan(0x2D0 + (i * MapEntryBytes), MapEntryBytes);
            BinaryPrimitives.WriteUInt64LittleEndian(entry, map[i].Start);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], map[i].SizeBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[16..], (uint)map[i].Type);
        }

        writer.Write(BootLayout.ZeroPage, page);
    }
}
