/* What a guest's ring-3 code is written against. */
#ifndef GUEST_H
#define GUEST_H

#include "service.h"
#include "types.h"

#define MAX_MODULES 8
#define CMDLINE_SIZE 2048

struct module {
    u64 start, size;
    char text[128];
};

/* What the loader told, copied before any of its memory is reused. */
struct machine {
    const char *loader;        /* "pvh" or "multiboot" */
    char cmdline[CMDLINE_SIZE];
    u64 memory;                /* bytes of usable RAM in the loader's map */
    u64 heap_start, heap_end;  /* the largest free range above the image, page-aligned, below 3 GiB; with high=1 the one from 4 GiB */
    u64 rsdp;                  /* 0: none */
    u32 modules;
    struct module module[MAX_MODULES];
};

extern struct machine machine;

/* Every guest: returns the exit value (the debug-exit port gets it). */
u32 guest_main(void);

static inline u64 call0(u64 number, u64 a, u64 b, u64 c)
{
    __asm__ volatile("ud2"
                     : "+a"(number), "+D"(a), "+S"(b), "+d"(c)
                     :
                     : "rcx", "r8", "r9", "r10", "r11", "cc", "memory");
    return number;
}

static inline u64 rdtsc(void)
{
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return low | (u64)high << 32;
}

static inline void cpu_relax(void) { __asm__ volatile("pause"); }
static inline u64 rotate(u64 value, u32 bits) { return value << bits | value >> (64 - bits); }

static inline u64 mix(u64 value)
{
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ul;
    value = (value ^ value >> 27) * 0x94d049bb133111ebul;
    return value ^ value >> 31;
}

/* Text: one service call per print, so write whole lines. %u %d %x (with l, width, 0) %s %c %%. "\n" goes out as CR LF. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
u32 format(char *buffer, u32 size, const char *format, ...) __attribute__((format(printf, 3, 4)));
__attribute__((noreturn)) void guest_exit(u32 value);

/* Command line: name=value words. A value that is no number ends the guest with value 2. */
u64 option(const char *name, u64 otherwise);
u64 option_in(const char *name, u64 otherwise, u64 low, u64 high);
bool option_text(const char *name, char *buffer, u32 size);
bool option_is(const char *name, const char *value);

/* Time in LAPIC ticks; clock_start picks 100 Hz, or 1 kHz when a period is no multiple of 10 ms; hz= overrides. */
void clock_start(u64 period_ms);
u64 clock_ms(void);
void wait_until_ms(u64 ms);
u64 tsc_khz(void);

/* Boot information, ACPI. */
void machine_read(void);
const u8 *acpi_table(const char *signature);
u32 acpi_cpus(u32 *apic_ids, u32 limit);
bool acpi_power_off(void);
u64 find_rsdp(void);

/* Other CPUs run work(index) in ring 3 and then halt. Result: CPUs running, this one included. Needs the clock. */
u32 cpus_start(void (*work)(u32 index));

void *memset(void *to, int value, size_t length);
void *memcpy(void *to, const void *from, size_t length);
bool text_equal(const char *a, const char *b);

/* Pages of working set on the heap; ends the guest with value 2 when they do not fit. */
u8 *take_pages(u64 pages);

#endif
