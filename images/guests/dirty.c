/* Rewrites pages of a working set at a set rate, and records the gaps it sees in its own time. */
#include "guest.h"

#define BUCKETS 160
#define GAP_FLOOR 1024 /* TSC ticks; shorter ones are the loop itself */

/* Four buckets per octave of TSC ticks: the lower bound of bucket b is (4 + b % 4) << (b / 4 - 2). */
struct gaps {
    u64 last, floor, worst, worst_ever, count;
    u64 buckets[BUCKETS];
};

static struct gaps gaps;
static u64 khz;

static u64 lower_bound(u32 bucket) { return (4ul + bucket % 4) << (bucket / 4 - 2); }

static void gap_add(u64 gap)
{
    u32 octave = 63 - (u32)__builtin_clzl(gap), bucket = octave * 4 + (u32)(gap >> (octave - 2) & 3);
    gaps.buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    gaps.count++;
    if (gap > gaps.worst)
        gaps.worst = gap;
}

static inline u64 gap_look(void)
{
    u64 now = rdtsc(), gap = now - gaps.last;
    if (gap >= gaps.floor && now > gaps.last)
        gap_add(gap);
    gaps.last = now;
    return now;
}

/* Tenths of microseconds. */
static u64 tenths(u64 tsc) { return khz ? tsc * 10 / khz * 1000 + tsc * 10 % khz * 1000 / khz : 0; }
static u64 nanoseconds(u64 tsc) { return khz ? tsc * 1000 / khz * 1000 + tsc * 1000 % khz * 1000 / khz : 0; }

static void report(u64 pass, u64 pages)
{
    char line[1000];
    u32 used = 0;
    if (gaps.worst > gaps.worst_ever)
        gaps.worst_ever = gaps.worst;
    u64 worst = tenths(gaps.worst), ever = tenths(gaps.worst_ever);
    print("dirty pass %lu pages %lu t=%lu\n", pass, pages, clock_ms());
    print("dirty gap-us %lu.%lu ticks %lu ever-us %lu.%lu count %lu tsc-khz %lu\n", worst / 10, worst % 10, gaps.worst,
          ever / 10, ever % 10, gaps.count, khz);
    line[0] = 0;
    for (u32 b = 0; b < BUCKETS && used < sizeof line - 48; b++) {
        if (gaps.buckets[b])
            used += format(line + used, (u32)sizeof line - used, " %lu:%lu", nanoseconds(lower_bound(b)), gaps.buckets[b]);
        gaps.buckets[b] = 0;
    }
    print("dirty gaps-ns%s\n", line);
    gaps.worst = gaps.count = 0;
    gaps.last = rdtsc();
}

static void fill_page(u64 *page, u64 words, u64 value, bool same, bool random)
{
    for (u64 i = 0; i < words; i++) {
        page[i] = value;
        if (random) {
            value ^= value << 13;
            value ^= value >> 7;
            value ^= value << 17;
        } else if (!same) {
            value += 0x9e3779b97f4a7c15ul;
        }
    }
}

u32 guest_main(void)
{
    u64 pages = option_in("pages", 256, 1, 1u << 20), set = option_in("set", pages, 1, 1u << 20);
    u64 tick = option_in("tick", 100, 0, 3600000), every = option_in("report", 1000, 1, 3600000);
    u64 words = option_in("words", PAGE_SIZE / 8, 1, PAGE_SIZE / 8), count = option("count", 0), gap_us = option_in("gap-min", 0, 0, 1000000);
    bool fill = option("fill", 0), same = option("same", 0), random = option("random", 0), spin = option("spin", 0);
    if (set < pages)
        set = pages;
    u8 *memory = take_pages(set);
    khz = tsc_khz();
    gaps.floor = gap_us * khz / 1000 > GAP_FLOOR ? gap_us * khz / 1000 : GAP_FLOOR;
    clock_start(tick);
    print("dirty start pages=%lu set=%lu tick=%lu at=0x%lx tsc-khz %lu\n", pages, set, tick, (u64)memory, khz);

    u64 at = 0, total = 0, next_report = every;
    gaps.last = rdtsc();
    for (u64 pass = 1; count == 0 || pass <= count; pass++) {
        for (u64 i = 0; i < pages; i++) {
            u64 value = mix(same ? pass : pass << 24 ^ at);
            u64 *page = (u64 *)(memory + at * PAGE_SIZE);
            u64 now = gap_look();
            if (random)
                value ^= mix(now);
            if (fill)
                fill_page(page, words, value, same, random);
            else
                *(volatile u64 *)page = value;
            at = at + 1 < set ? at + 1 : 0;
        }
        total += pages;
        if (clock_ms() >= next_report) {
            report(pass, total);
            next_report = (clock_ms() / every + 1) * every;
        }
        if (tick && spin) {
            while (clock_ms() < pass * tick)
                gap_look();
        } else if (tick) {
            wait_until_ms(pass * tick);
            gaps.last = rdtsc();
        }
    }
    report(count, total);
    return (u32)option_in("exit", 0, 0, 127);
}
