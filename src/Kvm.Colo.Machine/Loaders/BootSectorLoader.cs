namespace Kvm.Colo.Machine.Loaders;

/// <summary>Starts a raw image whose first 512 bytes are a boot sector.</summary>
internal static class BootSectorLoader
{
    private const int SectorBytes = 512;

    public static bool IsBootSector(ReadOnlySpan<byte> image) =>
        image.Length >= SectorBytes && image[510] == 0x55 && image[511] == 0xAA;

    public static BootPlan Load(BootSource source, BootWriter writer)
    {
        if ((ulong)source.Kernel.Length > BootLayout.BootSectorMaxBytes)
            throw new BootImageException($"the boot sector has {source.Kernel.Length} bytes, at most {BootLayout.BootSectorMaxBytes} fit");
        if (!source.Initrd.IsEmpty)
            throw new BootImageException("a boot sector takes no initrd");
        if (source.CommandLine.Length > 0)
            throw new BootImageException("a boot sector takes no command line");
        writer.Place("boot sector", BootLayout.BootSector, source.Kernel.Span);
        return ProcessorSetup.RealMode();
    }
}
