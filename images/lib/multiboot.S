/* Multiboot 1 header; linked into NAME.mb only, because QEMU takes every image that has one for 32-bit Multiboot. */
    .section .multiboot, "a"
    .balign 4
    .set FLAGS, 3                       /* modules page-aligned, memory map wanted */
    .long 0x1badb002, FLAGS, -(0x1badb002 + FLAGS)
    .section .note.GNU-stack, "", @progbits
