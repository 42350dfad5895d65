namespace Kvm.Colo.Stream;

/// <summary>The be64 that begins every record of a RAM section: page offset in its block, flags in the low 12 bits.</summary>
internal readonly record struct RamPageWord(ulong Value)
{
    public const int SizeBytes = 8;
    public const int PageSizeBytes = 4096;
    private const ulong FlagMask = PageSizeBytes - 1;

    public RamPageWord(ulong pageOffset, RamPageFlags flags)
        : this(pageOffset | (ulong)flags)
    {
    }

    /// <summary>Byte offset in the block, a multiple of the page size; the total of all blocks in a block list.</summary>
    public ulong PageOffset => Value & ~FlagMask;

    public RamPageFlags Flags => (RamPageFlags)(Value & FlagMask);
}
