using System.Buffers.Binary;

namespace Kvm.Colo.Machine.Loaders;

/// <summary>
/// An x86 ELF executable, parsed and checked; nothing in it is trusted (System V ABI, chapter 5; Xen public/elfnote.h).
/// </summary>
internal sealed class ElfImage
{
    private const int MaxProgramHeaders = 128;
    private const ushort TypeExecutable = 2;
    private const ushort Machine386 = 3;
    private const ushort MachineX86_64 = 62;
    private const uint SegmentLoad = 1;
    private const uint SegmentNote = 4;
    private const uint XenNotePhysicalEntry = 18;

    private ElfImage(bool is64Bit, ulong entry)
    {
        Is64Bit = is64Bit;
        Entry = entry;
    }

    public bool Is64Bit { get; }

    /// <summary>e_entry as it stands in the file.</summary>
    public ulong Entry { get; }

    public List<ElfSegment> Segments { get; } = [];

    /// <summary>Physical 32-bit entry from the PVH note, or null.</summary>
    public ulong? PvhEntry { get; private set; }

    public static bool IsElf(ReadOnlySpan<byte> image) => image.StartsWith("\u007fELF"u8);

    /// <summary>Parses and checks headers, loadable segments and notes.</summary>
    /// <exception cref="BootImageException">It is malformed, or for another machine.</exception>
    public static ElfImage Parse(ReadOnlySpan<byte> image)
    {
        if (image.Length < 52)
            throw new BootImageException($"the ELF header is cut off after {image.Length} bytes");
        bool is64Bit = image[4] switch
        {
            1 => false,
            2 => true,
            var other => throw new BootImageException($"ELF class {other} is neither 32 nor 64 bit"),
        };
        if (image[5] != 1)
            throw new BootImageException("the ELF image is big-endian, x86 is little-endian");
        if (is64Bit && image.Length < 64)
            throw new BootImageException($"the ELF header is cut off after {image.Length} bytes");
        CheckKind(image, is64Bit);
        ElfImage elf = new(is64Bit, Word(image, 24, is64Bit));
        elf.ReadProgramHeaders(image);
        if (elf.Segments.Count == 0)
            throw new BootImageException("the ELF image has nothing to load");
        return elf;
    }

    /// <summary>Where the entry lies in physical memory.</summary>
    /// <exception cref="BootImageException">It is outside every loaded segment.</exception>
    public ulong PhysicalEntry(ulong entry)
    {
        foreach (ElfSegment segment in Segments)
        {
            if (entry >= segment.PhysicalAddress && entry - segment.PhysicalAddress < (ulong)segment.FileBytes)
                return entry;
        }

        foreach (ElfSegment segment in Segments)
        {
            if (entry >= segment.VirtualAddress && entry - segment.VirtualAddress < (ulong)segment.FileBytes)
                return segment.PhysicalAddress + (entry - segment.VirtualAddress);
        }

        throw new BootImageException($"the entry point 0x{entry:x} lies outside the loaded segments");
    }

    /// <summary>Puts every segment at its physical address, with zeroes behind the file's part.</summary>
    public void Load(ReadOnlySpan<byte> image, BootWriter writer)
    {
        for (int i = 0; i < Segments.Count; i++)
        {
            ElfSegment segment = Segments[i];
            writer.Claim($"ELF segment {i}", segment.PhysicalAddress, segment.MemoryBytes);
        }

        foreach (ElfSegment segment in Segments)
        {
            writer.Write(segment.PhysicalAddress, image.Slice(segment.FileOffset, segment.FileBytes));
            writer.Fill(segment.PhysicalAddress + (ulong)segment.FileBytes, segment.MemoryBytes - (ulong)segment.FileBytes);
        }
    }

    private static void CheckKind(ReadOnlySpan<byte> image, bool is64Bit)
    {
        ushort machine = Half(image, 18);
        if (machine != (is64Bit ? MachineX86_64 : Machine386))
            throw new BootImageException($"the ELF image is for machine {machine}{NameOf(machine)}, this is an x86 PC");
        ushort type = Half(image, 16);
        if (type != TypeExecutable)
            throw new BootImageException($"the ELF image has type {type}, a kernel is an executable (type 2)");
    }

    private static string NameOf(ushort machine) => machine switch
    {
        3 => " (32-bit x86 in a 64-bit file)",
        40 => " (ARM)",
        62 => " (x86-64 in a 32-bit file)",
        183 => " (AArch64)",
        243 => " (RISC-V)",
        _ => "",
    };

    private static ushort Half(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt16LittleEndian(image[at..]);

    private static ulong Word(ReadOnlySpan<byte> image, int at, bool is64Bit) =>
        is64Bit ? BinaryPrimitives.ReadUInt64LittleEndian(image[at..]) : BinaryPrimitives.ReadUInt32LittleEndian(image[at..]);

    private void ReadProgramHeaders(ReadOnlySpan<byte> image)
    {
        ulong tableAt = Word(image, Is64Bit ? 32 : 28, Is64Bit);
        int entryBytes = Half(image, Is64Bit ? 54 : 42);
        int count = Half(image, Is64Bit ? 56 : 44);
        if (entryBytes != (Is64Bit ? 56 : 32))
            throw new BootImageException($"ELF program headers have {entryBytes} bytes each");
        if (count is 0 or > MaxProgramHeaders)
            throw new BootImageException($"the ELF image has {count} program headers, 1 to {MaxProgramHeaders} are possible");
        if (tableAt > (ulong)image.Length || (ulong)(count * entryBytes) > (ulong)image.Length - tableAt)
            throw new BootImageException("the ELF program headers are cut off");
        for (int i = 0; i < count; i++)
            ReadProgramHeader(image, image.Slice((int)tableAt + (i * entryBytes), entryBytes), i);
    }

    private void ReadProgramHeader(ReadOnlySpan<byte> image, ReadOnlySpan<byte> header, int index)
    {
        uint type = BinaryPrimitives.ReadUInt32LittleEndian(header);
        if (type is not (SegmentLoad or SegmentNote))
            return;
        ulong offset = Word(header, Is64Bit ? 8 : 4, Is64Bit);
        ulong virtualAddress = Word(header, Is64Bit ? 16 : 8, Is64Bit);
        ulong physicalAddress = Word(header, Is64Bit ? 24 : 12, Is64Bit);
        ulong fileBytes = Word(header, Is64Bit ? 32 : 16, Is64Bit);
        ulong memoryBytes = Word(header, Is64Bit ? 40 : 20, Is64Bit);
        ulong alignment = Word(header, Is64Bit ? 48 : 28, Is64Bit);
        if (offset > (ulong)image.Length || fileBytes > (ulong)image.Length - offset)
            throw new BootImageException($"ELF program header {index} reaches past the end of the file");
        if (type == SegmentNote)
        {
            ReadNotes(image.Slice((int)offset, (int)fileBytes), alignment == 8 ? 8 : 4);
            return;
        }

        if (fileBytes > memoryBytes)
            throw new BootImageException($"ELF segment {index} has {fileBytes} bytes in the file but {memoryBytes} in memory");
        if (memoryBytes > ulong.MaxValue - physicalAddress || memoryBytes > ulong.MaxValue - virtualAddress)
            throw new BootImageException($"ELF segment {index} at 0x{physicalAddress:x} wraps around the address space");
        if (memoryBytes > 0)
            Segments.Add(new ElfSegment((int)offset, (int)fileBytes, virtualAddress, physicalAddress, memoryBytes));
    }

    private void ReadNotes(ReadOnlySpan<byte> notes, int alignment)
    {
        while (notes.Length >= 12)
        {
            uint nameBytes = BinaryPrimitives.ReadUInt32LittleEndian(notes);
            uint valueBytes = BinaryPrimitives.ReadUInt32LittleEndian(notes[4..]);
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(notes[8..]);
            long valueAt = Align(12L + nameBytes, alignment);
            long end = Align(valueAt + valueBytes, alignment);
            if (valueAt + valueBytes > notes.Length)
                throw new BootImageException("an ELF note is cut off");
            if (type == XenNotePhysicalEntry && notes.Slice(12, (int)nameBytes).SequenceEqual("Xen\0"u8))
                PvhEntry = EntryFromNote(notes.Slice((int)valueAt, (int)valueBytes));
            if (end >= notes.Length)
                return;
            notes = notes[(int)end..];
        }
    }

    private static long Align(long value, int alignment) => (value + alignment - 1) & ~(alignment - 1L);

    private static ulong EntryFromNote(ReadOnlySpan<byte> value) => value.Length switch
    {
        4 => BinaryPrimitives.ReadUInt32LittleEndian(value),
        8 => BinaryPrimitives.ReadUInt64LittleEndian(value),
        _ => throw new BootImageException($"the PVH entry note holds {value.Length} bytes, 4 or 8 are possible"),
    };
}
