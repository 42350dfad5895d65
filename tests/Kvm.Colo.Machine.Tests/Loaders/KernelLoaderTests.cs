using System.Text;
using Kvm.Colo.Machine.Loaders;
using Kvm.Colo.Memory;
using Xunit;

namespace Kvm.Colo.Machine.Tests.Loaders;

public sealed class KernelLoaderTests : IDisposable
{
    private const ulong Rsdp = 0xE0000;
    private readonly GuestMemory _memory = GuestMemory.Create(64 << 20);

    public void Dispose() => _memory.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Pvh_EntersProtectedMode_WithStartInfo(bool is64Bit)
    {
        byte[] initrd = "module content"u8.ToArray();
        byte[] image = ImageBuilder.Elf(is64Bit, pvhEntry: 0x10_0020);
        BootPlan plan = Load(image, "period=5", initrd);
        Assert.Equal(BootProtocol.Pvh, plan.Protocol);
        Assert.Equal(BootMode.Protected32, plan.Mode);
        Assert.Equal(0x10_0020ul, plan.EntryPoint);
        Assert.Equal(0x11ul, plan.Cr0);
        Assert.Equal(image[ImageBuilder.ElfSegmentAt..], Bytes(0x10_0000, 0x400));
        Assert.All(Bytes(0x10_0400, 0xC00), b => Assert.Equal(0, b));

        Assert.Equal(0x336E_C578u, Word(plan.Rbx));
        Assert.Equal(1u, Word(plan.Rbx + 4));
        Assert.Equal(1u, Word(plan.Rbx + 12));
        ulong module = Long(plan.Rbx + 16);
        Assert.Equal((ulong)initrd.Length, Long(module + 8));
        Assert.Equal(initrd, Bytes(Long(module), initrd.Length));
        Assert.Equal(0ul, Long(module) % 4096);
        Assert.Equal("period=5\0", Encoding.ASCII.GetString(Bytes(Long(plan.Rbx + 24), 9)));
        Assert.Equal(Rsdp, Long(plan.Rbx + 32));
        ulong map = Long(plan.Rbx + 40);
        Assert.Equal(3u, Word(plan.Rbx + 48));
        Assert.Equal((0x10_0000ul, 63ul << 20, 1u), (Long(map + 48), Long(map + 56), Word(map + 64)));
    }

    [Fact]
    public void Protected32_SegmentsAreFlat_AndMatchTheGdt()
    {
        BootPlan plan = Load(ImageBuilder.Elf(is64Bit: true, pvhEntry: 0x10_0000));
        Assert.Equal(new BootSegment(8, 0, uint.MaxValue, 0xB, true, true, false, true, true), plan.Code);
        Assert.Equal(new BootSegment(16, 0, uint.MaxValue, 0x3, true, true, false, true, true), plan.Data);
        Assert.Equal(new BootSegment(24, 0, 0x67, 0xB, false, false, false, false, true), plan.Task);
        Assert.Equal(31, plan.GdtLimit);
        Assert.Equal(plan.Code, BootSegment.FromDescriptor(8, Long(plan.GdtBase + 8)));
    }

    [Fact]
    public void MultibootElf_GetsItsInformation()
    {
        byte[] image = ImageBuilder.Multiboot(ImageBuilder.Elf(is64Bit: false));
        BootPlan plan = Load(image, "n=1", "mod"u8.ToArray());
        Assert.Equal(BootProtocol.Multiboot, plan.Protocol);
        Assert.Equal(0x2BAD_B002ul, plan.Rax);
        Assert.Equal(0x10_0010ul, plan.EntryPoint);
        ulong info = plan.Rbx;
        Assert.Equal(0x24Du, Word(info));
        Assert.Equal(639u, Word(info + 4));
        Assert.Equal(63u << 10, Word(info + 8));
        Assert.Equal("kernel n=1\0", Encoding.ASCII.GetString(Bytes(Word(info + 16), 11)));
        Assert.Equal(1u, Word(info + 20));
        ulong module = Word(info + 24);
        Assert.Equal("mod"u8.ToArray(), Bytes(Word(module), 3));
        Assert.Equal(Word(module) + 3, Word(module + 4));
        Assert.Equal(0, Bytes(Word(module + 8), 1)[0]);
        Assert.Equal(72u, Word(info + 44));
        Assert.Equal(20u, Word(Word(info + 48)));
        Assert.Equal("colo-vm\0", Encoding.ASCII.GetString(Bytes(Word(info + 64), 8)));
    }

    [Fact]
    public void MultibootWithAddresses_IsLoadedWhereItSays()
    {
        byte[] image = ImageBuilder.Multiboot(new byte[0x1000], 0x1_0003, 0x20_0100, 0x20_0000, 0x20_0800, 0x20_2000, 0x20_0400);
        image[0x200] = 0xAB;
        BootPlan plan = Load(image);
        Assert.Equal(0x20_0400ul, plan.EntryPoint);
        Assert.Equal(0xAB, Bytes(0x20_0000, 1)[0]);
        Assert.Equal(0x1BAD_B002u, Word(0x20_0100));
    }

    [Fact]
    public void BzImage_EntersLongMode_WithZeroPage()
    {
        byte[] image = ImageBuilder.BzImage();
        byte[] initrd = new byte[5000];
        new Random(3).NextBytes(initrd);
        BootPlan plan = Load(image, "console=ttyS0", initrd);
        Assert.Equal(BootProtocol.BzImage, plan.Protocol);
        Assert.Equal(BootMode.Long64, plan.Mode);
        Assert.Equal(0x100_0200ul, plan.EntryPoint);
        Assert.Equal(0x7000ul, plan.Rsi);
        Assert.Equal(0x500ul, plan.Efer);
        Assert.Equal(0x8000_0011ul, plan.Cr0);
        Assert.Equal(0x20ul, plan.Cr4);
        Assert.Equal(new BootSegment(8, 0, uint.MaxValue, 0xB, true, false, true, true, true), plan.Code);
        Assert.Equal(image[1024..], Bytes(0x100_0000, 8192));
        Assert.Equal(image[0x1F1..0x210], Bytes(0x71F1, 0x1F));
        Assert.Equal(0xFF, Bytes(0x7210, 1)[0]);
        Assert.Equal(0, Bytes(0x71EF, 1)[0]);
        Assert.Equal(0x20000u, Word(0x7228));
        Assert.Equal("console=ttyS0\0", Encoding.ASCII.GetString(Bytes(0x20000, 14)));
        Assert.Equal(Rsdp, Long(0x7070));
        Assert.Equal((uint)initrd.Length, Word(0x721C));
        Assert.Equal(initrd, Bytes(Word(0x7218), initrd.Length));
        Assert.Equal(64u << 20, Word(0x7218) + 8192);
        Assert.Equal(3, Bytes(0x71E8, 1)[0]);
        Assert.Equal((0ul, 0x9FC00ul, 1u), (Long(0x72D0), Long(0x72D8), Word(0x72E0)));
        Assert.Equal((0x9FC00ul, 0x60400ul, 2u), (Long(0x72E4), Long(0x72EC), Word(0x72F4)));
        Assert.Equal((0x10_0000ul, 63ul << 20, 1u), (Long(0x72F8), Long(0x7300), Word(0x7308)));
    }

    [Fact]
    public void LongMode_PageTablesMapFourGibOneToOne()
    {
        BootPlan plan = Load(ImageBuilder.BzImage());
        foreach (ulong address in (ulong[])[0, 0x1234_5678, 0x7FFF_FFFF, 0xFEE0_0000, 0xFFFF_FFFF])
        {
            ulong table = Long(plan.Cr3) & ~0xFFFul;
            ulong directory = Long(table + ((address >> 30) * 8)) & ~0xFFFul;
            ulong entry = Long(directory + (((address >> 21) & 511) * 8));
            Assert.Equal((address & ~0x1F_FFFFul) | 0x83, entry);
        }
    }

    [Fact]
    public void BzImage_MovesDown_WhenItsPreferredPlaceIsNoRam()
    {
        using GuestMemory small = GuestMemory.Create(8 << 20);
        BootPlan plan = KernelLoader.Load(new BootSource { Kernel = ImageBuilder.BzImage() }, small, 0);
        Assert.Equal(0x20_0200ul, plan.EntryPoint);
    }

    [Fact]
    public void Initrd_StaysBelowTheKernelsLimit()
    {
        byte[] image = ImageBuilder.BzImage();
        ImageBuilder.Put32(image, 0x22C, 0x1FF_FFFF);
        Load(image, "", new byte[100]);
        Assert.Equal(0x1FF_F000u, Word(0x7218));
        ImageBuilder.Put32(image, 0x22C, 0x10F_FFFF);
        Load(image, "", new byte[100]);
        Assert.Equal(0xFF_F000u, Word(0x7218));
    }

    [Fact]
    public void Vmlinux_GetsAZeroPageOfItsOwn()
    {
        BootPlan plan = Load(ImageBuilder.Elf(is64Bit: true), "quiet");
        Assert.Equal(BootProtocol.Vmlinux, plan.Protocol);
        Assert.Equal(0x10_0010ul, plan.EntryPoint);
        Assert.Equal(0x5372_6448u, Word(0x7202));
        Assert.Equal(0x20000u, Word(0x7228));
        Assert.Equal(3, Bytes(0x71E8, 1)[0]);
    }

    [Fact]
    public void VirtualEntry_IsTranslated()
    {
        byte[] image = ImageBuilder.Elf(is64Bit: true, entry: 0x8000_0010);
        ImageBuilder.Put64(image, 0x40 + 16, 0x8000_0000);
        Assert.Equal(0x10_0010ul, Load(image).EntryPoint);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(65536)]
    public void BootSector_StartsInRealMode(int length)
    {
        byte[] image = ImageBuilder.BootSector(length);
        BootPlan plan = Load(image);
        Assert.Equal(BootMode.Real, plan.Mode);
        Assert.Equal(0x7C00ul, plan.EntryPoint);
        Assert.Equal(0x80ul, plan.Rdx);
        Assert.Equal((0, 0ul, 0xFFFFu), (plan.Code.Selector, plan.Code.Base, plan.Code.Limit));
        Assert.Equal(0ul, plan.Cr0 & 1);
        Assert.Equal(image, Bytes(0x7C00, length));
    }

    [Fact]
    public void MemoryMap_ListsRamAboveFourGib()
    {
        using GuestMemory large = GuestMemory.Create(5ul << 30);
        IReadOnlyList<MemoryMapEntry> map = MemoryMap.Build(large);
        Assert.Equal(new MemoryMapEntry(0x10_0000, 0xC000_0000 - 0x10_0000, MemoryMapType.Ram), map[2]);
        Assert.Equal(new MemoryMapEntry(1ul << 32, 2ul << 30, MemoryMapType.Ram), map[3]);
    }

    private BootPlan Load(byte[] image, string commandLine = "", byte[]? initrd = null) =>
        KernelLoader.Load(new BootSource { Kernel = image, CommandLine = commandLine, Initrd = initrd ?? [] }, _memory, Rsdp);

    private byte[] Bytes(ulong at, int length)
    {
        byte[] bytes = new byte[length];
        Assert.True(_memory.TryRead(new GuestPhysicalAddress(at), bytes));
        return bytes;
    }

    private uint Word(ulong at) => BitConverter.ToUInt32(Bytes(at, 4));

    private ulong Long(ulong at) => BitConverter.ToUInt64(Bytes(at, 8));
}
