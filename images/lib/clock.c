/* Time: LAPIC ticks for what the guest says, the TSC only for gaps (its offset does not survive a move on every KVM). */
#include "guest.h"

struct pvclock {
    u32 version, pad;
    u64 timestamp, system_time;
    u32 multiplier;
    int8_t shift;
    u8 flags, pad2[2];
};

static u64 hz;

static void cpuid(u32 leaf, u32 *a, u32 *b, u32 *c, u32 *d)
{
    __asm__ volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "a"(leaf), "c"(0));
}

void clock_start(u64 period_ms)
{
    hz = option_in("hz", period_ms % 10 ? 1000 : 100, 10, 10000);
    call0(SVC_TIMER, hz, 0, 0);
}

u64 clock_ms(void) { return ticks * 1000 / hz; }

void wait_until_ms(u64 ms)
{
    u64 tick = (ms * hz + 999) / 1000;
    while (ticks < tick)
        call0(SVC_WAIT, tick, 0, 0);
}

static u64 from_kvmclock(void)
{
    static struct pvclock clock __attribute__((aligned(4096)));
    u32 a, b, c, d;
    cpuid(0x40000001, &a, &b, &c, &d);
    if (!(a & 1 << 3))
        return 0;
    call0(SVC_KVMCLOCK, (u64)&clock, 0, 0);
    const volatile struct pvclock *filled = &clock;
    if (!filled->multiplier)
        return 0;
    /* nanoseconds = (ticks << shift) * multiplier >> 32 */
    u64 khz = (1000000ul << 32) / filled->multiplier;
    return filled->shift < 0 ? khz << -filled->shift : khz >> filled->shift;
}

static u64 from_ticks(void)
{
    u64 rate = hz;
    if (!rate)
        call0(SVC_TIMER, rate = 100, 0, 0);
    u64 tick = call0(SVC_WAIT, ticks + 1, 0, 0), start = rdtsc();
    call0(SVC_WAIT, tick + rate / 5, 0, 0);
    u64 khz = (rdtsc() - start) * 5 / 1000;
    if (!hz)
        call0(SVC_TIMER, 0, 0, 0);
    return khz;
}

u64 tsc_khz(void)
{
    u32 a, b, c, d, top;
    cpuid(0x40000000, &top, &b, &c, &d);
    bool kvm = b == 0x4b4d564b && c == 0x564b4d56 && d == 0x4d;
    if (top >= 0x40000010 && top < 0x40010000) {
        cpuid(0x40000010, &a, &b, &c, &d);
        if (a)
            return a;
    }
    cpuid(0, &top, &b, &c, &d);
    if (top >= 0x15) {
        cpuid(0x15, &a, &b, &c, &d);
        if (a && b && c)
            return (u64)c * b / a / 1000;
    }
    u64 khz = kvm ? from_kvmclock() : 0;
    return khz ? khz : from_ticks();
}
