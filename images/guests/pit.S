/* Boot sector in real mode woken by the PIT through the PIC: a numbered line per 10 ticks of 100 Hz, HLT in between. */
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
1:  mov $0x3f9, %dx                     /* no UART interrupts, 115200 8n1, FIFOs on */
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

    mov $0x11, %al                      /* PICs: vectors 0x20 and 0x28, all masked but IRQ 0 */
    out %al, $0x20
    out %al, $0xa0
    mov $0x20, %al
    out %al, $0x21
    mov $0x28, %al
    out %al, $0xa1
    mov $4, %al
    out %al, $0x21
    mov $2, %al
    out %al, $0xa1
    mov $1, %al
    out %al, $0x21
    out %al, $0xa1
    mov $0xff, %al
    out %al, $0xa1
    mov $0xfe, %al
    out %al, $0x21
    movw $(0x7c00 + tick - _start), 0x20 * 4
    movw $0, 0x20 * 4 + 2

    mov $0x34, %al                      /* PIT channel 0, rate generator, 11932 = 100 Hz */
    out %al, $0x43
    mov $(11932 & 255), %al
    out %al, $0x40
    mov $(11932 >> 8), %al
    out %al, $0x40

    mov $(0x7c00 + greeting - _start), %si
    call puts
    xor %ebx, %ebx
next_line:
    mov $10, %cx
    sti
2:  hlt
    test %cx, %cx                       /* counted down by the handler */
    jnz 2b
    cli
    inc %ebx
    mov $(0x7c00 + line - _start), %si
    call puts
    mov %ebx, %eax
    call put_decimal
    mov $(0x7c00 + line_end - _start), %si
    call puts
    jmp next_line

tick:
    jcxz 3f
    dec %cx
3:  push %ax
    mov $0x20, %al
    out %al, $0x20
    pop %ax
    iret

put_decimal:                            /* EAX; digits go to the stack first */
    mov $10, %edi
    xor %bp, %bp
4:  xor %edx, %edx
    div %edi
    push %dx
    inc %bp
    test %eax, %eax
    jnz 4b
5:  pop %ax
    add $'0', %al
    call putc
    dec %bp
    jnz 5b
    ret

puts:                                   /* DS:SI up to a zero byte */
    lodsb
    test %al, %al
    jz 6f
    call putc
    jmp puts
6:  ret

putc:                                   /* AL; waits for the UART within a bound */
    push %ax
    mov $0x3fd, %dx
    mov $0xffff, %cx
7:  in %dx, %al
    test $0x20, %al
    loopz 7b
    mov $0x3f8, %dx
    pop %ax
    out %al, %dx
    ret

greeting: .asciz "pit ok\r\n"
line:     .asciz "pit "
line_end: .asciz "\r\n"

    .org 510
    .word 0xaa55
    .section .note.GNU-stack, "", @progbits
