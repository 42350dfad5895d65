/* Ring 0: descriptor tables, LAPIC, COM1, and the services. Built for general registers only and kept short: it may be emulated. */
#include "service.h"
#include "types.h"

#define COM1 0x3f8
#define DEBUG_EXIT 0xf4
#define LAPIC(r) (*(volatile u32 *)(0xfee00000ul + (r)))
#define IOAPIC(r) (*(volatile u32 *)(0xfec00000ul + (r)))
#define POLL_LIMIT 50000u

struct tss {
    u32 reserved0;
    u64 rsp0, rsp1, rsp2, reserved1, ist[7], reserved2;
    u16 reserved3, io_map;
} __attribute__((packed));

struct trap_frame {
    u64 vector, error, rip, cs, rflags, rsp, ss;
};

extern u64 gdt[];
extern volatile u32 ap_index;
extern const u8 trampoline[], trampoline_end[];
extern const char service_stub[], timer_stub[], serial_stub[], spurious_stub[], trap_stubs[];

void kernel_init_cpu(u32 index, u64 stack);
u64 service(u64 a, u64 b, u64 c, u64 number);
void serial_interrupt(void);
__attribute__((noreturn)) void trap(const struct trap_frame *frame, u64 cr2);

volatile u64 ticks;
volatile u32 cpu_online[MAX_CPUS];
struct serial_ring serial_ring;

static struct tss task_states[MAX_CPUS];
static u64 idt[512] __attribute__((aligned(16)));
static u32 transmit_burst = 1;

static inline void out8(u16 port, u8 value) { __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }
static inline void out16(u16 port, u16 value) { __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port)); }
static inline void out32(u16 port, u32 value) { __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port)); }

static inline u8 in8(u16 port)
{
    u8 value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void wrmsr(u32 index, u64 value)
{
    __asm__ volatile("wrmsr" ::"c"(index), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline void cli(void) { __asm__ volatile("cli" ::: "memory"); }
static inline void sti(void) { __asm__ volatile("sti" ::: "memory"); }
static inline void sti_hlt(void) { __asm__ volatile("sti; hlt" ::: "memory"); }

static void gate(u32 vector, const char *handler, u64 dpl)
{
    u64 address = (u64)handler;
    idt[vector * 2] = (address & 0xffff) | (u64)SEL_CODE64 << 16 | (0x8e00 | dpl << 13) << 32 | (address >> 16 & 0xffff) << 48;
    idt[vector * 2 + 1] = address >> 32;
}

static void init_once(void)
{
    for (u32 v = 0; v < 32; v++)
        gate(v, trap_stubs + v * 16, 0);
    gate(6, service_stub, 0); /* #UD: KVM saves it while it is on its way, a software exception as int3's it does not */
    gate(VECTOR_TIMER, timer_stub, 0);
    gate(VECTOR_SERIAL, serial_stub, 0);
    gate(VECTOR_SPURIOUS, spurious_stub, 0);

    out8(0x21, 0xff); /* a firmware may have left the PIC open */
    out8(0xa1, 0xff);

    out8(COM1 + 1, 0);
    out8(COM1 + 3, 0x80);
    out8(COM1 + 0, 1); /* 115200 baud */
    out8(COM1 + 1, 0);
    out8(COM1 + 3, 3); /* 8n1 */
    out8(COM1 + 2, 7); /* FIFOs on and empty, interrupt at one byte */
    out8(COM1 + 4, 0x0b);
    if ((in8(COM1 + 2) & 0xc0) == 0xc0)
        transmit_burst = 16;
}

void kernel_init_cpu(u32 index, u64 stack)
{
    if (index == 0)
        init_once();

    struct tss *tss = &task_states[index];
    u64 base = (u64)tss;
    u64 *descriptor = gdt + SEL_TSS / 8 + index * 2;
    tss->rsp0 = stack;
    tss->io_map = 0xffff; /* 0 would open some ports to ring 3 */
    descriptor[0] = (sizeof *tss - 1) | (base & 0xffffff) << 16 | 0x89ul << 40 | (base >> 24 & 0xff) << 56;
    descriptor[1] = base >> 32;
    __asm__ volatile("ltr %w0" ::"r"(SEL_TSS + index * 16));

    struct {
        u16 limit;
        u64 base;
    } __attribute__((packed)) pointer = { sizeof idt - 1, (u64)idt };
    __asm__ volatile("lidt %0" ::"m"(pointer));

    LAPIC(0xf0) = 0x100 | VECTOR_SPURIOUS;
    LAPIC(0x80) = 0;
    cpu_online[index] = 1;
}

static void console_write(const u8 *bytes, u64 length)
{
    while (length) {
        for (u32 poll = 0; poll < POLL_LIMIT && !(in8(COM1 + 5) & 0x20); poll++)
            __asm__ volatile("pause");
        u64 burst = length < transmit_burst ? length : transmit_burst;
        length -= burst;
        __asm__ volatile("rep outsb" : "+S"(bytes), "+c"(burst) : "d"(COM1) : "memory");
    }
}

/* Edge-triggered: drain until the UART has nothing to say, or switch its interrupt off, so that a later edge is never missed. */
void serial_interrupt(void)
{
    serial_ring.interrupts++;
    do {
        while (in8(COM1 + 5) & 1) {
            if (serial_ring.head - serial_ring.tail == SERIAL_RING) {
                serial_ring.throttled = 1;
                out8(COM1 + 1, 0);
                goto done;
            }
            serial_ring.bytes[serial_ring.head % SERIAL_RING] = in8(COM1);
            serial_ring.head++;
        }
    } while (!(in8(COM1 + 2) & 1));
done:
    LAPIC(0xb0) = 0;
}

static void serial_input(void)
{
    IOAPIC(0) = 0x10 + 4 * 2 + 1;
    IOAPIC(0x10) = LAPIC(0x20);
    IOAPIC(0) = 0x10 + 4 * 2;
    IOAPIC(0x10) = VECTOR_SERIAL;
    serial_ring.throttled = 0;
    out8(COM1 + 1, 1);
}

/* KVM's APIC bus runs at 1 GHz. */
static void timer(u64 hz)
{
    LAPIC(0x3e0) = 3; /* divide by 16 */
    LAPIC(0x320) = hz ? 0x20000 | VECTOR_TIMER : 0x10000;
    LAPIC(0x380) = hz ? (u32)(62500000 / hz) : 0;
}

static void wait(u64 tick)
{
    while (ticks < tick && serial_ring.head == serial_ring.tail) {
        sti_hlt();
        cli();
    }
}

static u64 port_loop(u16 port, u64 n, u32 mode)
{
    u64 bad = 0;
    switch (mode) {
    case 1: __asm__ volatile("1: outb %%al, %%dx; dec %0; jnz 1b" : "+r"(n) : "a"(0), "d"(port)); break;
    case 2: __asm__ volatile("1: outw %%ax, %%dx; dec %0; jnz 1b" : "+r"(n) : "a"(0), "d"(port)); break;
    case 4: __asm__ volatile("1: outl %%eax, %%dx; dec %0; jnz 1b" : "+r"(n) : "a"(0), "d"(port)); break;
    case PORT_LOOP_READ | 1:
        __asm__ volatile("1: xor %%eax, %%eax; inb %%dx, %%al; cmp $0xff, %%al; je 2f; inc %1; 2: dec %0; jnz 1b"
                         : "+r"(n), "+r"(bad) : "d"(port) : "rax", "cc");
        break;
    case PORT_LOOP_READ | 2:
        __asm__ volatile("1: xor %%eax, %%eax; inw %%dx, %%ax; cmp $0xffff, %%eax; je 2f; inc %1; 2: dec %0; jnz 1b"
                         : "+r"(n), "+r"(bad) : "d"(port) : "rax", "cc");
        break;
    case PORT_LOOP_READ | 4:
        __asm__ volatile("1: xor %%eax, %%eax; inl %%dx, %%eax; cmp $0xffffffff, %%eax; je 2f; inc %1; 2: dec %0; jnz 1b"
                         : "+r"(n), "+r"(bad) : "d"(port) : "rax", "cc");
        break;
    default: break;
    }
    return bad;
}

static u64 mmio_loop(volatile u32 *address, u64 n, bool read)
{
    u64 seen = 0;
    for (; n; n--) {
        if (read)
            seen ^= *address;
        else
            *address = (u32)n;
    }
    return seen;
}

static void start_cpu(u32 apic_id, u32 index, bool init)
{
    for (u64 i = 0; i < (u64)(trampoline_end - trampoline); i++)
        ((volatile u8 *)TRAMPOLINE)[i] = trampoline[i];
    ap_index = index;
    if (init) {
        LAPIC(0x310) = apic_id << 24;
        LAPIC(0x300) = 0x4500;
    }
    LAPIC(0x310) = apic_id << 24;
    LAPIC(0x300) = 0x4600 | TRAMPOLINE >> 12;
}

static void triple_fault(void)
{
    struct {
        u16 limit;
        u64 base;
    } __attribute__((packed)) none = { 0, 0 };
    __asm__ volatile("lidt %0; ud2" ::"m"(none));
}

__attribute__((noreturn)) static void halt(bool interruptible)
{
    for (;;) {
        if (interruptible)
            sti();
        __asm__ volatile("hlt");
    }
}

u64 service(u64 a, u64 b, u64 c, u64 number)
{
    switch (number) {
    case SVC_WRITE:
        sti();
        console_write((const u8 *)a, b);
        cli();
        return b;
    case SVC_EXIT:
        out8(DEBUG_EXIT, (u8)a);
        halt(false);
    case SVC_TIMER: timer(a); return 0;
    case SVC_WAIT: wait(a); return ticks;
    case SVC_SERIAL_IN: serial_input(); return 0;
    case SVC_HALT: halt(a != 0);
    case SVC_SPIN:
        sti();
        for (;;)
            __asm__ volatile("");
    case SVC_TRIPLE: triple_fault(); return 0;
    case SVC_OUT:
        if (c == 4)
            out32((u16)a, (u32)b);
        else if (c == 2)
            out16((u16)a, (u16)b);
        else
            out8((u16)a, (u8)b);
        return 0;
    case SVC_PORT_LOOP:
        sti();
        return b ? port_loop((u16)a, b, (u32)c) : 0;
    case SVC_MMIO_LOOP:
        sti();
        return mmio_loop((volatile u32 *)a, b, c != 0);
    case SVC_START_CPU:
        if (b < MAX_CPUS)
            start_cpu((u32)a, (u32)b, c != 0);
        return 0;
    case SVC_KVMCLOCK:
        wrmsr(0x4b564d01, a | 1);
        wrmsr(0x4b564d01, 0);
        return 0;
    case SVC_SEGMENTS:
        wrmsr(0xc0000100, a);
        wrmsr(0xc0000101, b);
        return 0;
    case SVC_APIC_ID: return LAPIC(0x20) >> 24;
    case SVC_BAD_INSN:
        __asm__ volatile("popcnt %0, %0" : "+r"(a));
        return a;
    default: return ~0ul;
    }
}

static void put(const char *text)
{
    u64 length = 0;
    while (text[length])
        length++;
    console_write((const u8 *)text, length);
}

static void put_hex(const char *name, u64 value)
{
    char digits[17];
    for (int i = 0; i < 16; i++)
        digits[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
    digits[16] = 0;
    put(name);
    put(digits);
}

/* Nothing here is expected: say what and where, then end with value 3. */
void trap(const struct trap_frame *frame, u64 cr2)
{
    put("\r\nguest TRAP");
    put_hex(" vector ", frame->vector);
    put_hex(" error ", frame->error);
    put_hex(" rip ", frame->rip);
    put_hex(" cs ", frame->cs);
    put_hex(" rsp ", frame->rsp);
    put_hex(" cr2 ", cr2);
    put("\r\n");
    out8(DEBUG_EXIT, 3);
    halt(false);
}
