using System.Buffers.Binary;

namespace Kvm.Colo.Machine.Loaders;

/// <summary>The set-up header of a bzImage, checked (Linux Documentation/arch/x86/boot.rst).</summary>
internal sealed record LinuxHeader
{
    public const int Offset = 0x1F1;
    public const int SectorBytes = 512;
    public const int MaxEnd = 0x290;
    private const ushort MinVersion = 0x020C;
    private const uint Signature = 0x5372_6448;

    /// <summary>Byte after the header's last; it lies at the same offset in the file and in the zero page.</summary>
    public required int End { get; init; }

    public required int KernelOffset { get; init; }

    public required bool IsRelocatable { get; init; }

    public required ulong PreferredAddress { get; init; }

    public required ulong Alignment { get; init; }

    /// <summary>Memory the kernel needs from its load address on before it looks at the memory map.</summary>
    public required ulong InitBytes { get; init; }

    public required uint CommandLineMaxBytes { get; init; }

    public required ulong InitrdMaxAddress { get; init; }

    public static bool IsBzImage(ReadOnlySpan<byte> image) =>
        image.Length >= 0x206 && BinaryPrimitives.ReadUInt32LittleEndian(image[0x202..]) == Signature;

    /// <summary>Reads the header of an image for which <see cref="IsBzImage"/> holds.</summary>
    /// <exception cref="BootImageException">It is malformed, too old, or without a 64-bit entry.</exception>
    public static LinuxHeader Parse(ReadOnlySpan<byte> image)
    {
        if (image.Length < 2 * SectorBytes)
            throw new BootImageException($"the Linux image is cut off after {image.Length} bytes");
        if (BinaryPrimitives.ReadUInt16LittleEndian(image[0x1FE..]) != 0xAA55)
            throw new BootImageException("the Linux image has no boot flag 0xAA55");
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(image[0x206..]);
        if (version < MinVersion)
            throw new BootImageException($"the Linux boot protocol {version >> 8}.{version & 0xFF:d2} is older than 2.12");
        int end = 0x202 + image[0x201];
        if (end is < 0x268 or > MaxEnd)
            throw new BootImageException($"the Linux set-up header ends at 0x{end:x}");
        if ((BinaryPrimitives.ReadUInt16LittleEndian(image[0x236..]) & 1) == 0)
            throw new BootImageException("the Linux image has no 64-bit entry, a 64-bit kernel is needed");
        if ((image[0x211] & 1) == 0)
            throw new BootImageException("the Linux image is not to be loaded at 1 MiB (zImage)");
        int kernelOffset = ((image[Offset] == 0 ? 4 : image[Offset]) + 1) * SectorBytes;
        if (kernelOffset + SectorBytes + 1 > image.Length)
            throw new BootImageException($"the Linux image is cut off after {image.Length} bytes");
        LinuxHeader header = new()
        {
            End = end,
            KernelOffset = kernelOffset,
            IsRelocatable = image[0x234] != 0,
            Alignment = BinaryPrimitives.ReadUInt32LittleEndian(image[0x230..]),
            PreferredAddress = BinaryPrimitives.ReadUInt64LittleEndian(image[0x258..]),
            InitBytes = BinaryPrimitives.ReadUInt32LittleEndian(image[0x260..]),
            CommandLineMaxBytes = BinaryPrimitives.ReadUInt32LittleEndian(image[0x238..]),
            InitrdMaxAddress = BinaryPrimitives.ReadUInt32LittleEndian(image[0x22C..]),
        };
        header.Check(image);
        return header;
    }

    private void Check(ReadOnlySpan<byte> image)
    {
        // syssize counts 16-byte units, the last of them not always whole, and tells a truncated file from a whole one.
        const int Unit = 16;
        ulong kernelBytes = (ulong)BinaryPrimitives.ReadUInt32LittleEndian(image[0x1F4..]) * Unit;
        int presentBytes = image.Length - KernelOffset;
        if (kernelBytes >= (ulong)presentBytes + Unit)
            throw new BootImageException($"the Linux image is cut off: {presentBytes} of {kernelBytes} kernel bytes are there");
        if (IsRelocatable && (Alignment == 0 || (Alignment & (Alignment - 1)) != 0))
            throw new BootImageException($"the Linux image asks for an alignment of 0x{Alignment:x}");
        if (CommandLineMaxBytes == 0)
            throw new BootImageException("the Linux image takes no command line at all");
    }
}
