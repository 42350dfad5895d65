using Kvm.Colo.Machine.Loaders;
using Kvm.Colo.Memory;
using Xunit;

namespace Kvm.Colo.Machine.Tests.Loaders;

public sealed class MalformedImageTests : IDisposable
{
    private const ulong MaxAddress = ulong.MaxValue;
    private readonly GuestMemory _memory = GuestMemory.Create(32 << 20);

    public void Dispose() => _memory.Dispose();

    public static TheoryData<string, byte[], string> Images => new()
    {
        { "empty", [], "empty" },
        { "noise", new byte[4096], "no ELF file" },
        { "gzip", [0x1F, 0x8B, 8, 0], "gzip" },
        { "ELF of 20 bytes", ImageBuilder.Elf(true)[..20], "cut off" },
        { "64-bit ELF of 60 bytes", ImageBuilder.Elf(true)[..60], "cut off" },
        { "ELF class 9", With(ImageBuilder.Elf(true), 4, 9), "class 9" },
        { "big-endian ELF", With(ImageBuilder.Elf(true), 5, 2), "big-endian" },
        { "AArch64", With(ImageBuilder.Elf(true), 18, 183), "AArch64" },
        { "x86-64 in ELF32", With(ImageBuilder.Elf(false), 18, 62), "x86-64 in a 32-bit file" },
        { "relocatable object", With(ImageBuilder.Elf(true), 16, 1), "type 1" },
        { "shared object", With(ImageBuilder.Elf(true), 16, 3), "type 3" },
        { "no program headers", With(ImageBuilder.Elf(true), 56, 0), "0 program headers" },
        { "many program headers", With16(ImageBuilder.Elf(true), 56, 0xFFFF), "65535 program headers" },
        { "odd header size", With(ImageBuilder.Elf(true), 54, 55), "55 bytes each" },
        { "headers outside", With64(ImageBuilder.Elf(true), 32, 0x600), "headers are cut off" },
        { "headers wrap", With64(ImageBuilder.Elf(true), 32, MaxAddress - 8), "headers are cut off" },
        { "nothing to load", With(ImageBuilder.Elf(true), 0x40, 7), "nothing to load" },
        { "segment past the file", Seg(0x200, 0x10_0000, 0x401, 0x1000), "past the end" },
        { "segment offset wraps", Seg(MaxAddress, 0x10_0000, 0x400, 0x1000), "past the end" },
        { "file size wraps", Seg(0x200, 0x10_0000, MaxAddress, MaxAddress), "past the end" },
        { "memory smaller than file", Seg(0x200, 0x10_0000, 0x400, 0x3FF), "in memory" },
        { "segment wraps", Seg(0x200, MaxAddress - 0x100, 0x400, 0x1000), "wraps" },
        { "segment beyond RAM", Seg(0x200, 32 << 20, 0x400, 0x1000), "outside the guest's 32 MiB" },
        { "segment larger than RAM", Seg(0x200, 0x10_0000, 0x400, 1ul << 40), "outside the guest's" },
        { "segment in the hole", Seg(0x200, 0xFEE0_0000, 0x400, 0x1000), "outside the guest's" },
        { "segment on the firmware area", Seg(0x200, 0xF0000, 0x400, 0x1000), "overlaps the firmware area" },
        { "segment on the page tables", Seg(0x200, 0xA000, 0x400, 0x1000), "overlaps boot page tables" },
        { "segment on the command line", Seg(0x200, 0x1F000, 0x400, 0x1001), "overlaps command line" },
        { "entry outside", ImageBuilder.Elf(true, entry: 0x10_0400), "entry point 0x100400" },
        { "PVH entry outside", ImageBuilder.Elf(true, pvhEntry: 0x0F_FFFF), "entry point 0xfffff" },
        { "PVH note cut off", With(ImageBuilder.Elf(true, pvhEntry: 0x10_0000), 0x184, 200), "note is cut off" },
        { "PVH note of 3 bytes", With(ImageBuilder.Elf(true, pvhEntry: 0x10_0000), 0x184, 3), "3 bytes" },
        { "overlapping segments", Overlapping(), "overlaps ELF segment 0" },
        { "ELF32 without a header", ImageBuilder.Elf(false), "neither a PVH note" },
        { "Multiboot in ELF64", ImageBuilder.Multiboot(ImageBuilder.Elf(true)), "64-bit ELF" },
        { "Multiboot in nothing", ImageBuilder.Multiboot(new byte[0x1000]), "no addresses" },
        { "Multiboot wants more", ImageBuilder.Multiboot(ImageBuilder.Elf(false), 0x13), "do not exist" },
        { "Multiboot load before file", Kludge(0x20_0400, 0x20_0000, 0, 0, 0x20_0000), "before the start" },
        { "Multiboot load after header", Kludge(0x20_0000, 0x20_0100, 0, 0, 0x20_0100), "before the start" },
        { "Multiboot load end before load", Kludge(0x20_0100, 0x20_0000, 0x1F_0000, 0, 0x20_0000), "load end" },
        { "Multiboot load end past file", Kludge(0x20_0100, 0x20_0000, 0x20_1000, 0, 0x20_0000), "load end" },
        { "Multiboot BSS before load end", Kludge(0x20_0100, 0x20_0000, 0, 0x20_0010, 0x20_0000), "BSS" },
        { "Multiboot BSS beyond RAM", Kludge(0x20_0100, 0x20_0000, 0, 0xF000_0000, 0x20_0000), "outside the guest's" },
        { "Multiboot entry outside", Kludge(0x20_0100, 0x20_0000, 0x20_0200, 0, 0x20_0200), "entry point" },
        { "Multiboot wraps", Kludge(0xFFFF_FF00, 0xFFFF_FE00, 0, 0, 0xFFFF_FF00), "outside the guest's" },
        { "Multiboot header cut off", Kludge()[..(ImageBuilder.MultibootAt + 20)], "cut off" },
        { "bzImage without boot flag", With(ImageBuilder.BzImage(), 0x1FE, 0), "boot flag" },
        { "bzImage too old", With(ImageBuilder.BzImage(), 0x206, 0x0B), "2.11 is older" },
        { "bzImage of 32 bits", With(ImageBuilder.BzImage(), 0x236, 0x7E), "64-bit entry" },
        { "zImage", With(ImageBuilder.BzImage(), 0x211, 0), "zImage" },
        { "bzImage header too long", With(ImageBuilder.BzImage(), 0x201, 0xFF), "header ends" },
        { "bzImage header too short", With(ImageBuilder.BzImage(), 0x201, 0x10), "header ends" },
        { "bzImage cut in the header", ImageBuilder.BzImage()[..0x210], "cut off" },
        { "bzImage cut in the kernel", ImageBuilder.BzImage()[..4096], "cut off" },
        { "bzImage with set-up past the end", With(ImageBuilder.BzImage(), 0x1F1, 200), "cut off" },
        { "bzImage needs too much RAM", With32(ImageBuilder.BzImage(), 0x260, 0xFFFF_FFFF), "32 MiB of RAM" },
        { "bzImage for an impossible place", Fixed(ImageBuilder.BzImage(), MaxAddress), "32 MiB of RAM" },
        { "bzImage aligned to 3", With32(ImageBuilder.BzImage(), 0x230, 3), "alignment" },
        { "bzImage aligned to nothing", With32(ImageBuilder.BzImage(), 0x230, 0), "alignment" },
        { "bzImage without command line", With32(ImageBuilder.BzImage(), 0x238, 0), "command line" },
        { "boot sector of 64 KiB and a byte", ImageBuilder.BootSector(65537), "at most 65536 fit" },
        { "boot sector without signature", With(ImageBuilder.BootSector(), 511, 0), "no boot sector" },
        { "half a boot sector", ImageBuilder.BootSector()[..511], "no boot sector" },
    };

    [Theory]
    [MemberData(nameof(Images))]
    public void MalformedImage_IsRefused_InOneLine(string name, byte[] image, string reason)
    {
        BootImageException e = Assert.Throws<BootImageException>(() => Load(image));
        Assert.False(string.IsNullOrEmpty(name));
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData("pvh")]
    [InlineData("multiboot")]
    [InlineData("vmlinux")]
    [InlineData("bzimage")]
    public void CommandLineAndInitrd_AreBounded(string kind)
    {
        byte[] image = Valid(kind);
        int room = kind == "bzimage" ? 2047 : 0xFFFF - (kind == "multiboot" ? "kernel ".Length : 0);
        Load(image, new string('x', room));
        Assert.Contains("command line", Refusal(image, new string('x', room + 1)), StringComparison.Ordinal);
        Assert.Contains("zero byte", Refusal(image, "a\0b"), StringComparison.Ordinal);
        Assert.Contains("RAM", Refusal(image, "", new byte[33 << 20]), StringComparison.Ordinal);
    }

    [Fact]
    public void BootSector_TakesNeitherInitrdNorCommandLine()
    {
        Assert.Contains("initrd", Refusal(ImageBuilder.BootSector(), "", [1]), StringComparison.Ordinal);
        Assert.Contains("command line", Refusal(ImageBuilder.BootSector(), "x"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pvh")]
    [InlineData("multiboot")]
    [InlineData("kludge")]
    [InlineData("vmlinux")]
    [InlineData("bzimage")]
    public void DamagedImages_LoadOrAreRefused_NothingElse(string kind)
    {
        byte[] valid = Valid(kind);
        Random random = new(kind.Length);
        for (int round = 0; round < 3000; round++)
        {
            byte[] image = [.. valid];
            for (int i = random.Next(1, 5); i > 0; i--)
                image[random.Next(Math.Min(image.Length, 0x340))] = (byte)(random.Next(3) == 0 ? 0xFF : random.Next(256));
            if (random.Next(4) == 0)
                image = image[..random.Next(image.Length)];
            try
            {
                Load(image);
            }
            catch (BootImageException e)
            {
                Assert.NotEmpty(e.Message);
            }
        }
    }

    [Fact]
    public void EveryTruncation_IsRefusedOrLoads()
    {
        foreach (string kind in (string[])["pvh", "multiboot", "kludge", "vmlinux", "bzimage"])
        {
            byte[] valid = Valid(kind);
            for (int length = 0; length < valid.Length; length += length < 0x400 ? 1 : 61)
            {
                byte[] image = valid[..length];
                // Addresses without a load end mean "all there is", so such an image loads once its entry is there.
                if (kind == "kludge" && length >= ImageBuilder.MultibootAt + 32)
                    Load(image);
                else if (kind == "bzimage" && length is >= 512 and < 0x206)
                    continue; // its first sector alone is a boot sector
                else
                    Assert.NotEmpty(Refusal(image));
            }
        }
    }

    [Fact]
    public void Files_AreReadWithinBounds()
    {
        string path = Path.GetTempFileName();
        try
        {
            Assert.Contains("0 bytes", FileRefusal(path), StringComparison.Ordinal);
            using (FileStream sparse = File.OpenWrite(path))
                sparse.SetLength(BootFile.MaxBytes + 1);
            Assert.Contains("1073741825 bytes", FileRefusal(path), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }

        Assert.Contains("cannot be read", FileRefusal("/nowhere/at/all"), StringComparison.Ordinal);
        Assert.Contains("kernel '/proc'", FileRefusal("/proc"), StringComparison.Ordinal);
    }

    private static string FileRefusal(string path) =>
        Assert.Throws<BootImageException>(() => BootSource.Read(path, null, null)).Message;

    private static byte[] Valid(string kind) => kind switch
    {
        "pvh" => ImageBuilder.Elf(true, pvhEntry: 0x10_0020),
        "multiboot" => ImageBuilder.Multiboot(ImageBuilder.Elf(false)),
        "kludge" => Kludge(0x20_0100, 0x20_0000, 0, 0, 0x20_0110),
        "vmlinux" => ImageBuilder.Elf(true),
        _ => ImageBuilder.BzImage(),
    };

    private static byte[] Kludge(params uint[] addresses) => ImageBuilder.Multiboot(new byte[0x600], 0x1_0003, addresses);

    private static byte[] Seg(ulong offset, ulong address, ulong fileBytes, ulong memoryBytes) =>
        With64(
            ImageBuilder.Segment(ImageBuilder.Elf(true), 0, true, 1, offset, address, fileBytes, memoryBytes),
            24,
            unchecked(address + 8));

    private static byte[] Overlapping()
    {
        byte[] image = With(ImageBuilder.Elf(true), 56, 2);
        return ImageBuilder.Segment(image, 1, true, 1, 0x200, 0x10_0FFF, 1, 1);
    }

    private static byte[] Fixed(byte[] image, ulong address)
    {
        image[0x234] = 0;
        return With64(image, 0x258, address);
    }

    private static byte[] With(byte[] image, int at, byte value)
    {
        image[at] = value;
        return image;
    }

    private static byte[] With16(byte[] image, int at, ushort value)
    {
        ImageBuilder.Put16(image, at, value);
        return image;
    }

    private static byte[] With32(byte[] image, int at, uint value)
    {
        ImageBuilder.Put32(image, at, value);
        return image;
    }

    private static byte[] With64(byte[] image, int at, ulong value)
    {
        ImageBuilder.Put64(image, at, value);
        return image;
    }

    private void Load(byte[] image, string commandLine = "", byte[]? initrd = null) =>
        KernelLoader.Load(new BootSource { Kernel = image, CommandLine = commandLine, Initrd = initrd ?? [] }, _memory, 0xE0000);

    private string Refusal(byte[] image, string commandLine = "", byte[]? initrd = null) =>
        Assert.Throws<BootImageException>(() => Load(image, commandLine, initrd)).Message;
}
