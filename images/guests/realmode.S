/* Boot sector that never leaves real mode and uses no firmware: COM1 by port I/O, a numbered line per 300000 loops. */
    .text
    .code16
    .globl _start
_start:
    cli
    cld
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7c00, %sp
    ljmp $0, $(0x7c00 + 1f - _start)
1:  mov $0x3f9, %dx                     /* no interrupts, 115200 8n1, FIFOs on */
    xor %al, %al
    out %al, %dx
    mov $0x3fb, %dx
    mov $0x80, %al
    out %al, %dx
    mov $0x3f8, %dx
    mov $1, %al
    out %al, %dx
    inc %dx
    xor %al, %al
    out %al, %dx
    mov $0x3fb, %dx
    mov $3, %al
    out %al, %dx
    dec %dx
    mov $7, %al
    out %al, %dx
    mov $(0x7c00 + greeting - _start), %si
    call puts
    xor %ebx, %ebx
next_line:
    mov $300000, %ecx
2:  dec %ecx
    jnz 2b
    inc %ebx
    mov $(0x7c00 + line - _start), %si
    call puts
    mov %ebx, %eax
    call put_decimal
    mov $(0x7c00 + line_end - _start), %si
    call puts
    jmp next_line

put_decimal:                            /* EAX; digits go to the stack first */
    mov $10, %edi
    xor %bp, %bp
3:  xor %edx, %edx
    div %edi
    push %dx
    inc %bp
    test %eax, %eax
    jnz 3b
4:  pop %ax
    add $'0', %al
    call putc
    dec %bp
    jnz 4b
    ret

puts:                                   /* DS:SI up to a zero byte */
    lodsb
    test %al, %al
    jz 5f
    call putc
    jmp puts
5:  ret

putc:                                   /* AL; waits for the UART within a bound */
    push %ax
    mov $0x3fd, %dx
    mov $0xffff, %cx
6:  in %dx, %al
    test $0x20, %al
    loopz 6b
    mov $0x3f8, %dx
    pop %ax
    out %al, %dx
    ret

greeting: .asciz "real mode ok\r\n"
line:     .asciz "real mode "
line_end: .asciz "\r\n"

    .org 510
    .word 0xaa55
    .section .note.GNU-stack, "", @progbits
