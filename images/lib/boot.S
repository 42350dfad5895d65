/*
 * Entry (32-bit protected mode, paging off, from PVH or Multiboot), the way to ring 3 of 64-bit mode, and the interrupt stubs.
 * On a software KVM every instruction here is emulated at a quarter of a microsecond, hence the ready-made page tables.
 */
#include "service.h"

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, 18                      /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .quad pvh_entry

    .text
    .code32
    .globl pvh_entry, multiboot_entry
pvh_entry:
    mov $MAGIC_PVH, %eax
multiboot_entry:
    cli
    cld
    mov %eax, boot_magic
    mov %ebx, boot_info
    lgdt gdt_pointer
    ljmp $SEL_CODE32, $1f
1:  xor %ebp, %ebp                      /* CPU index */
long_mode:
    mov $SEL_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov %cr4, %eax
    or $0x620, %eax                     /* PAE, OSFXSR, OSXMMEXCPT */
    mov %eax, %cr4
    mov $pml4, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx               /* EFER.LME */
    rdmsr
    or $0x100, %eax
    wrmsr
    mov %cr0, %eax
    and $0x9ffffff3, %eax               /* no CD, NW, TS, EM */
    or $0x80000023, %eax                /* PG, NE, MP, PE */
    mov %eax, %cr0
    ljmp $SEL_CODE64, $2f
    .code64
2:  mov %ebp, %eax
    inc %eax
    mov %eax, %ecx
    imul $KERNEL_STACK, %eax
    lea kernel_stacks(%rax), %rsp
    imul $USER_STACK, %ecx
    lea user_stacks(%rcx), %rbx
    mov %ebp, %edi
    mov %rsp, %rsi
    call kernel_init_cpu
    mov $SEL_USER_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %ebp, %edi
    sub $8, %rbx                        /* as after a call */
    push $SEL_USER_DATA
    push %rbx
    push $0x202
    push $SEL_USER_CODE
    push $user_start
    iretq

/* Application processors start here in real mode at TRAMPOLINE; ap_index says which one. */
    .code16
    .globl trampoline, trampoline_end
trampoline:
    cli
    xor %ax, %ax
    mov %ax, %ds
    lgdtl TRAMPOLINE + (3f - trampoline)
    mov %cr0, %eax
    or $1, %eax
    mov %eax, %cr0
    ljmpl $SEL_CODE32, $ap_protected
    .balign 4
3:  .word gdt_end - gdt - 1
    .long gdt
trampoline_end:
    .code32
ap_protected:
    mov $SEL_DATA, %eax
    mov %eax, %ds
    mov ap_index, %ebp
    jmp long_mode

    .code64
/* The call gate: the caller's inline assembly declares what the C function may clobber, and ring 0 never touches SSE. */
    .globl service_stub, timer_stub, serial_stub, spurious_stub, trap_stubs
service_stub:
    push %rcx
    mov 8(%rsp), %rcx
    testb $3, 16(%rsp)
    jz 1f
    cmpw $0x0b0f, (%rcx)
    jne 1f
    addq $2, 8(%rsp)
    add $8, %rsp
    mov %rax, %rcx
    call service
    iretq
1:  pop %rcx                            /* an invalid opcode that is no call */
    jmp trap_stubs + 6 * 16

timer_stub:
    push %rax
    incq ticks
    mov $0xfee000b0, %eax
    movl $0, (%rax)
    pop %rax
spurious_stub:
    iretq

serial_stub:
    push %rax
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    cld
    call serial_interrupt
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rax
    iretq

    .balign 16
trap_stubs:
    .set vector, 0
    .rept 32
    .balign 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    push $0
    .endif
    push $vector
    jmp trap_common
    .set vector, vector + 1
    .endr
trap_common:
    mov %rsp, %rdi
    mov %cr2, %rsi
    cld
    call trap

    .section .data
    .globl gdt, gdt_end, boot_magic, boot_info, ap_index
    .balign 16
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff            /* 08 code, 32 bits */
    .quad 0x00af9b000000ffff            /* 10 code, 64 bits */
    .quad 0x00cf93000000ffff            /* 18 data */
    .quad 0x00cffb000000ffff            /* 20 user code, 32 bits */
    .quad 0x00cff3000000ffff            /* 28 user data */
    .quad 0x00affb000000ffff            /* 30 user code, 64 bits */
    .quad 0
    .fill MAX_CPUS * 2, 8, 0            /* 40 one TSS per CPU */
gdt_end:
gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt
    .balign 4
boot_magic: .long 0
boot_info:  .long 0
ap_index:   .long 0

/* 8 GiB (MAPPED_END) mapped one to one by 2 MiB pages, open to ring 3. */
    .balign 4096
pml4:
    .quad pdpt + 7
    .fill 511, 8, 0
pdpt:
    .quad pd + 0x0007, pd + 0x1007, pd + 0x2007, pd + 0x3007, pd + 0x4007, pd + 0x5007, pd + 0x6007, pd + 0x7007
    .fill 504, 8, 0
pd:
    .set page, 0
    .rept 4096
    .quad page * 0x200000 + 0x87
    .set page, page + 1
    .endr

    .section .bss
    .balign 4096
    .globl kernel_stacks, user_stacks
kernel_stacks: .skip MAX_CPUS * KERNEL_STACK
user_stacks:   .skip MAX_CPUS * USER_STACK

    .section .note.GNU-stack, "", @progbits
