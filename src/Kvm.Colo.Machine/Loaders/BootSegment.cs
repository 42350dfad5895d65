namespace Kvm.Colo.Machine.Loaders;

/// <summary>One segment register as a virtual processor is given it; the limit is in bytes.</summary>
internal readonly record struct BootSegment(
    ushort Selector,
    ulong Base,
    uint Limit,
    byte Type,
    bool IsCodeOrData,
    bool Is32Bit,
    bool IsLong,
    bool IsPageGranular,
    bool IsPresent)
{
    /// <summary>
    /// What the processor would hold after loading <paramref name="selector"/> from this descriptor (Intel SDM 3A, 3.4.5).
    /// </summary>
    public static BootSegment FromDescriptor(ushort selector, ulong descriptor)
    {
        bool isPageGranular = (descriptor & (1ul << 55)) != 0;
        uint limit = (uint)(descriptor & 0xFFFF) | (uint)((descriptor >> 32) & 0xF_0000);
        return new BootSegment(
            selector,
            ((descriptor >> 16) & 0xFF_FFFF) | ((descriptor >> 32) & 0xFF00_0000),
            isPageGranular ? (limit << 12) | 0xFFF : limit,
            (byte)((descriptor >> 40) & 0xF),
            (descriptor & (1ul << 44)) != 0,
            (descriptor & (1ul << 54)) != 0,
            (descriptor & (1ul << 53)) != 0,
            isPageGranular,
            (descriptor & (1ul << 47)) != 0);
    }

    /// <summary>A real-mode segment: 64 KiB from selector * 16.</summary>
    public static BootSegment RealMode(ushort selector, bool isCode) =>
        new(selector, (ulong)selector << 4, 0xFFFF, isCode ? (byte)0xB : (byte)0x3, true, false, false, false, true);
}
