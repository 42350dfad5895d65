using System.Buffers.Binary;
using Kvm.Colo.Memory;
using Kvm.Colo.Native;

namespace Kvm.Colo.TestKit;

/// <summary>
/// Tables and segments that put a vCPU straight into 64-bit mode: GDT at 0x500, page tables from 0x2000 to 0x8FFF, the first five GiB
/// mapped one to one with 2 MiB pages that ring 3 may use.
/// </summary>
internal static class LongMode
{
    private const ulong Gdt = 0x500;
    private const ulong Pml4 = 0x2000;
    private const ulong Pdpt = 0x3000;
    private const ulong FirstDirectory = 0x4000;
    private const int MappedGigabytes = 5;
    private const ulong PresentWritableUser = 7;
    private const ulong LargePage = 0x80;

    private static readonly ulong[] s_descriptors =
    [
        0, 0x00CF_9B00_0000_FFFF, 0x00AF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF, 0x00CF_FB00_0000_FFFF, 0x00CF_F300_0000_FFFF,
        0x00AF_FB00_0000_FFFF, 0, 0, 0,
    ];

    public static void WriteTables(GuestMemory memory)
    {
        for (int i = 0; i < s_descriptors.Length; i++)
            Write(memory, Gdt + ((ulong)i * 8), s_descriptors[i]);
        Write(memory, Pml4, Pdpt | PresentWritableUser);
        Span<byte> directory = new byte[GuestPage.SizeBytes];
        for (ulong gigabyte = 0; gigabyte < MappedGigabytes; gigabyte++)
        {
            ulong table = FirstDirectory + (gigabyte * GuestPage.SizeBytes);
            Write(memory, Pdpt + (gigabyte * 8), table | PresentWritableUser);
            for (ulong i = 0; i < 512; i++)
                BinaryPrimitives.WriteUInt64LittleEndian(directory[(int)(i * 8)..], (gigabyte << 30) | (i << 21) | LargePage | PresentWritableUser);
            memory.TryWrite(new GuestPhysicalAddress(table), directory);
        }
    }

    public static void Enter(ref kvm_sregs2 sregs, bool ring3)
    {
        byte level = ring3 ? (byte)3 : (byte)0;
        sregs.gdt = new kvm_dtable { @base = Gdt, limit = (ushort)((s_descriptors.Length * 8) - 1) };
        sregs.cs = Segment((ushort)(ring3 ? 0x33 : 0x10), type: 11, level, isCode64: true);
        sregs.ds = sregs.es = sregs.ss = Segment((ushort)(ring3 ? 0x2B : 0x18), type: 3, level, isCode64: false);
        sregs.fs = sregs.gs = Segment(0x18, type: 3, privilege: 0, isCode64: false);
        sregs.tr = new kvm_segment { selector = 0x40, @base = 0x1500, limit = 0x67, type = 11, present = 1 };
        sregs.cr3 = Pml4;
        sregs.cr4 |= 0x220; // PAE, OSFXSR
        sregs.cr0 = (sregs.cr0 | 0x8000_0023) & ~0x6000_000Cul; // PG, NE, MP, PE; caches on, no FPU emulation, no trap
        sregs.efer |= 0x500; // LME, LMA
    }

    private static kvm_segment Segment(ushort selector, byte type, byte privilege, bool isCode64) => new()
    {
        selector = selector,
        limit = uint.MaxValue,
        type = type,
        present = 1,
        dpl = privilege,
        s = 1,
        g = 1,
        l = isCode64 ? (byte)1 : (byte)0,
        db = isCode64 ? (byte)0 : (byte)1,
    };

    private static void Write(GuestMemory memory, ulong address, ulong value) => memory.TryWrite(new GuestPhysicalAddress(address), value);
}
