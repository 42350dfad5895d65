using Kvm.Colo.Memory;

namespace Kvm.Colo.Machine.Loaders;

/// <summary>Recognises a boot image by its content and puts it into guest memory.</summary>
internal static class KernelLoader
{
    /// <summary>
    /// Loads the image, its initrd, its command line and what its protocol hands over. Guest memory is fresh (zero) before.
    /// </summary>
    /// <param name="source">What to boot; hostile.</param>
    /// <param name="memory">The guest's RAM.</param>
    /// <param name="rsdp">Where the ACPI tables start, or 0 when there are none.</param>
    /// <exception cref="BootImageException">The image cannot be booted; one line says why.</exception>
    public static BootPlan Load(BootSource source, GuestMemory memory, ulong rsdp)
    {
        ReadOnlySpan<byte> image = source.Kernel.Span;
        if (image.Length > BootFile.MaxBytes || source.Initrd.Length > BootFile.MaxBytes)
            throw new BootImageException($"images of more than {BootFile.MaxBytes} bytes cannot be loaded");
        BootWriter writer = new(memory);
        writer.Claim("the firmware area", BootLayout.LowRamEnd, BootLayout.HighRam - BootLayout.LowRamEnd);
        if (image.IsEmpty)
            throw new BootImageException("the kernel image is empty");
        if (ElfImage.IsElf(image))
            return LoadElf(source, writer, rsdp);
        if (LinuxHeader.IsBzImage(image))
            return LinuxLoader.LoadBzImage(LinuxHeader.Parse(image), source, writer, rsdp);
        if (MultibootHeader.TryFind(image, out MultibootHeader header))
            return MultibootLoader.Load(header, elf: null, source, writer);
        if (BootSectorLoader.IsBootSector(image))
            return BootSectorLoader.Load(source, writer);
        throw new BootImageException(Describe(image));
    }

    private static BootPlan LoadElf(BootSource source, BootWriter writer, ulong rsdp)
    {
        ReadOnlySpan<byte> image = source.Kernel.Span;
        ElfImage elf = ElfImage.Parse(image);
        if (elf.PvhEntry is not null)
            return PvhLoader.Load(elf, source, writer, rsdp);
        if (MultibootHeader.TryFind(image, out MultibootHeader header))
            return MultibootLoader.Load(header, elf, source, writer);
        if (elf.Is64Bit)
            return LinuxLoader.LoadVmlinux(elf, source, writer, rsdp);
        throw new BootImageException("the 32-bit ELF image has neither a PVH note nor a Multiboot header");
    }

    private static string Describe(ReadOnlySpan<byte> image)
    {
        if (image.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            return "the kernel image is compressed with gzip, unpack it first";
        if (image.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]))
            return "the kernel image is compressed with zstd, unpack it first";
        return "the kernel image is no ELF file, no bzImage, no Multiboot image and no boot sector";
    }
}
