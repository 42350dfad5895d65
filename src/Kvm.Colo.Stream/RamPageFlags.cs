namespace Kvm.Colo.Stream;

/// <summary>Low 12 bits of a <see cref="RamPageWord"/> (RAM_SAVE_FLAG_* in QEMU's words). The others QEMU defines (0x001 full,
/// 0x080 RDMA hook, 0x100 zlib page, 0x200 multifd flush) are refused.</summary>
[Flags]
internal enum RamPageFlags : ushort
{
    None = 0,
    Zero = 0x002,
    BlockList = 0x004,
    Page = 0x008,
    EndOfSection = 0x010,

    /// <summary>Same block as the record before, even across sections and checkpoints; no name follows.</summary>
    Continue = 0x020,
    Delta = 0x040,
}
