using System.Buffers.Binary;

namespace Kvm.Colo.Machine.Tests.Loaders;

/// <summary>Builds small boot images, right ones and wrong ones.</summary>
internal static class ImageBuilder
{
    public const int ElfSegmentAt = 0x200;
    public const int MultibootAt = 0x300;

    /// <summary>
    /// An ELF file with one segment of 0x400 file bytes at 1 MiB (0x1000 in memory), optionally with a PVH note.
    /// </summary>
    public static byte[] Elf(bool is64Bit, uint entry = 0x10_0010, uint? pvhEntry = null)
    {
        byte[] image = new byte[ElfSegmentAt + 0x400];
        "\u007fELF"u8.CopyTo(image);
        image[4] = is64Bit ? (byte)2 : (byte)1;
        image[5] = 1;
        image[6] = 1;
        Put16(image, 16, 2);
        Put16(image, 18, is64Bit ? (ushort)62 : (ushort)3);
        PutWord(image, 24, entry, is64Bit);
        PutWord(image, is64Bit ? 32 : 28, 0x40, is64Bit);
        Put16(image, is64Bit ? 54 : 42, is64Bit ? (ushort)56 : (ushort)32);
        Put16(image, is64Bit ? 56 : 44, pvhEntry is null ? (ushort)1 : (ushort)2);
        Segment(image, 0, is64Bit, 1, ElfSegmentAt, 0x10_0000, 0x400, 0x1000);
        if (pvhEntry is not null)
        {
            Segment(image, 1, is64Bit, 4, 0x180, 0, 20, 20);
            Put32(image, 0x180, 4);
            Put32(image, 0x184, 4);
            Put32(image, 0x188, 18);
            "Xen\0"u8.CopyTo(image.AsSpan(0x18C));
            Put32(image, 0x190, pvhEntry.Value);
        }

        for (int i = ElfSegmentAt; i < image.Length; i++)
            image[i] = (byte)(i * 7);
        return image;
    }

    /// <summary>Rewrites one program header.</summary>
    public static byte[] Segment(
        byte[] image, int index, bool is64Bit, uint type, ulong offset, ulong address, ulong fileBytes, ulong memoryBytes)
    {
        int at = 0x40 + (index * (is64Bit ? 56 : 32));
        Put32(image, at, type);
        PutWord(image, at + (is64Bit ? 8 : 4), offset, is64Bit);
        PutWord(image, at + (is64Bit ? 16 : 8), address, is64Bit);
        PutWord(image, at + (is64Bit ? 24 : 12), address, is64Bit);
        PutWord(image, at + (is64Bit ? 32 : 16), fileBytes, is64Bit);
        PutWord(image, at + (is64Bit ? 40 : 20), memoryBytes, is64Bit);
        return image;
    }

    /// <summary>
    /// Adds a Multiboot header; with <paramref name="addresses"/> (header, load, load end, bss end, entry) in kludge form.
    /// </summary>
    public static byte[] Multiboot(byte[] image, uint flags = 3, params uint[] addresses)
    {
        Put32(image, MultibootAt, 0x1BAD_B002);
        Put32(image, MultibootAt + 4, flags);
        Put32(image, MultibootAt + 8, unchecked(0u - 0x1BAD_B002 - flags));
        for (int i = 0; i < addresses.Length; i++)
            Put32(image, MultibootAt + 12 + (i * 4), addresses[i]);
        return image;
    }

    /// <summary>A bzImage of protocol 2.15 with one set-up sector and 8 KiB of kernel.</summary>
    public static byte[] BzImage()
    {
        byte[] image = new byte[1024 + 8192];
        image[0x1F1] = 1;
        Put32(image, 0x1F4, 8192 / 16);
        Put16(image, 0x1FE, 0xAA55);
        image[0x200] = 0xEB;
        image[0x201] = 0x6A;
        "HdrS"u8.CopyTo(image.AsSpan(0x202));
        Put16(image, 0x206, 0x020F);
        image[0x211] = 1;
        Put32(image, 0x22C, 0x7FFF_FFFF);
        Put32(image, 0x230, 0x20_0000);
        image[0x234] = 1;
        Put16(image, 0x236, 0x7F);
        Put32(image, 0x238, 2047);
        Put64(image, 0x258, 0x100_0000);
        Put32(image, 0x260, 0x10_0000);
        for (int i = 1024; i < image.Length; i++)
            image[i] = (byte)(i * 11);
        return image;
    }

    public static byte[] BootSector(int length = 512)
    {
        byte[] image = new byte[length];
        for (int i = 0; i < length; i++)
            image[i] = (byte)(i * 3);
        image[510] = 0x55;
        image[511] = 0xAA;
        return image;
    }

    public static void Put16(byte[] image, int at, ushort value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(at), value);

    public static void Put32(byte[] image, int at, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at), value);

    public static void Put64(byte[] image, int at, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(at), value);

    private static void PutWord(byte[] image, int at, ulong value, bool is64Bit)
    {
        if (is64Bit)
            Put64(image, at, value);
        else
            Put32(image, at, unchecked((uint)value));
    }
}
