namespace Kvm.Colo.Machine.Loaders;

/// <summary>How the guest's first program is started; chosen by the content of the image.</summary>
internal enum BootProtocol
{
    /// <summary>Up to 64 KiB at 0x7C00, entered in real mode like a disk's first sector.</summary>
    BootSector,

    /// <summary>Multiboot 1: 32-bit protected mode, EBX at the boot information.</summary>
    Multiboot,

    /// <summary>ELF with the Xen PVH entry note: 32-bit protected mode, EBX at hvm_start_info.</summary>
    Pvh,

    /// <summary>A compressed Linux kernel by its 64-bit entry, RSI at the zero page.</summary>
    BzImage,

    /// <summary>An unpacked Linux kernel by its 64-bit entry, RSI at the zero page.</summary>
    Vmlinux,
}
