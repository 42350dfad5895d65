/*
 * A deterministic hash chain through memory and registers that cannot go on unnoticed after a lost write, a page from another
 * moment, or a register from another moment.
 *
 * Every link picks two slots by the digest, checks each against its mirror in another page, takes their old content out of a sum
 * over all slots, writes new content and adds that. The sum lives in registers only, so a write that memory forgot is found when
 * the sum is taken again over the whole memory. Registers are checked against each other: SSE counters have a closed form in the
 * link number, one SSE hash has a twin in a general register; x87, MXCSR, FS and GS hold fixed values for the whole life.
 */
#include "guest.h"

#define SLOTS_PER_PAGE 256
#define CHECK_EVERY 64
#define MIRROR_KEY 0x5851f42d4c957f2dul

typedef u64 v2 __attribute__((vector_size(16)));

struct slot {
    u64 link, value;
};

static struct slot *primary, *mirror;
static u64 slots;
static v2 state_hash, lanes[6];
static u64 digest, sum, twin, link_now;

static const v2 lane_start[6] = { { 1, 2 }, { 3, 4 }, { 5, 6 }, { 7, 8 }, { 9, 10 }, { 11, 12 } };
static const v2 lane_step[6] = {
    { 0x9e3779b97f4a7c15ul, 0xbf58476d1ce4e5b9ul }, { 0x94d049bb133111ebul, 0xd6e8feb86659fd93ul },
    { 0xa0761d6478bd642ful, 0xe7037ed1a0b428dbul }, { 0x8ebc6af09c88c6e3ul, 0x589965cc75374cc3ul },
    { 0x1d8e4e27c47d124ful, 0xeb44accab455d165ul }, { 0xff51afd7ed558ccdul, 0xc4ceb9fe1a85ec53ul },
};

__attribute__((noreturn)) static void broken(const char *what, u64 where, u64 want, u64 have)
{
    print("chain BROKEN at %lu: %s %lu: want %016lx have %016lx\n", link_now, what, where, want, have);
    guest_exit(1);
}

/* The mirror of a slot is in another page at another offset. */
static inline u64 mirror_of(u64 slot)
{
    u64 at = slot + slots / 2 + 77;
    return at < slots ? at : at - slots < slots ? at - slots : at - 2 * slots;
}

static inline u64 mirror_value(u64 value) { return rotate(value, 17) ^ MIRROR_KEY; }
static inline u64 weight(u64 slot, u64 link, u64 value)
{
    return mix(value + slot * 0x9e3779b97f4a7c15ul) ^ link * 0xd6e8feb86659fd93ul;
}

static inline void store(u64 slot, u64 link, u64 value)
{
    struct slot *twin_slot = &mirror[mirror_of(slot)];
    primary[slot] = (struct slot){ link, value };
    *twin_slot = (struct slot){ ~link, mirror_value(value) };
}

static void check_slot(u64 slot, u64 link)
{
    struct slot a = primary[slot], b = mirror[mirror_of(slot)];
    u64 page = ((u64)primary >> 12) + slot / SLOTS_PER_PAGE;
    if (a.link > link)
        broken("future link in page", page, link, a.link);
    if (a.link != ~b.link)
        broken("link of the mirror of page", page, a.link, ~b.link);
    if (mirror_value(a.value) != b.value)
        broken("value of the mirror of page", page, mirror_value(a.value), b.value);
}

static inline v2 spread(v2 hash)
{
    hash += lane_step[0];
    hash ^= hash >> 29;
    return hash ^ hash << 13;
}

static inline u64 spread_twin(u64 hash)
{
    hash += lane_step[0][0];
    hash ^= hash >> 29;
    return hash ^ hash << 13;
}

static void check_lanes(u64 link, const v2 *now)
{
    for (u32 k = 0; k < 6; k++)
        for (u32 half = 0; half < 2; half++)
            if (now[k][half] != lane_start[k][half] + link * lane_step[k][half])
                broken("SSE counter", k * 2 + half, lane_start[k][half] + link * lane_step[k][half], now[k][half]);
}

/* All state is in registers from the first link to the last of a run. */
__attribute__((noinline)) static void run(u64 last)
{
    u64 h = digest, s = sum, t = twin, n = link_now;
    v2 x = state_hash, l0 = lanes[0], l1 = lanes[1], l2 = lanes[2], l3 = lanes[3], l4 = lanes[4], l5 = lanes[5];
    while (n < last) {
        n++;
        for (u32 place = 0; place < 2; place++) {
            u64 slot = (u64)((unsigned __int128)h * slots >> 64);
            struct slot old = primary[slot], copy = mirror[mirror_of(slot)];
            if (__builtin_expect(old.link > n || old.link != ~copy.link || mirror_value(old.value) != copy.value, 0)) {
                link_now = n;
                check_slot(slot, n);
            }
            s -= weight(slot, old.link, old.value);
            u64 value = (old.value ^ h) * 0x9e3779b97f4a7c15ul + n;
            h = mix(rotate(h ^ old.value, 23) + t);
            store(slot, n, value);
            s += weight(slot, n, value);
        }
        x = spread(x);
        t = spread_twin(t);
        l0 += lane_step[0];
        l1 += lane_step[1];
        l2 += lane_step[2];
        l3 += lane_step[3];
        l4 += lane_step[4];
        l5 += lane_step[5];
        if (n % CHECK_EVERY == 0) {
            v2 all = l0 ^ l1 ^ l2 ^ l3 ^ l4 ^ l5 ^ x;
            if (x[0] != t) {
                link_now = n;
                broken("SSE hash against its twin, lane", 0, t, x[0]);
            }
            h ^= all[0] + rotate(all[1], 32);
        }
    }
    digest = h;
    sum = s;
    twin = t;
    link_now = n;
    state_hash = x;
    lanes[0] = l0;
    lanes[1] = l1;
    lanes[2] = l2;
    lanes[3] = l3;
    lanes[4] = l4;
    lanes[5] = l5;
    check_lanes(n, lanes);
}

static const u16 x87_control = 0x0f7f; /* round to zero, all exceptions masked */
static const u32 sse_control = 0x7f80; /* the same */
static const u64 fs_word = 0x6673206261736521ul, gs_word = 0x6773206261736521ul;
static u8 x87_pi[10];

static void park_values(void)
{
    call0(SVC_SEGMENTS, (u64)&fs_word, (u64)&gs_word, 0);
    __asm__ volatile("fninit; fldcw %0; fldpi; fld %%st(0); fstpt %1" : : "m"(x87_control), "m"(x87_pi) : "memory");
    __asm__ volatile("ldmxcsr %0" : : "m"(sse_control));
}

static void check_values(void)
{
    u64 fs, gs;
    u16 control;
    u32 sse;
    u8 now[10];
    __asm__ volatile("fnstcw %0; fld %%st(0); fstpt %1; stmxcsr %2" : "=m"(control), "=m"(now), "=m"(sse) : : "memory");
    if (control != x87_control)
        broken("x87 control word", 0, x87_control, control);
    if ((sse & ~0x3fu) != sse_control)
        broken("MXCSR", 0, sse_control, sse);
    for (u32 i = 0; i < sizeof now; i++)
        if (now[i] != x87_pi[i])
            broken("x87 register byte", i, x87_pi[i], now[i]);
    __asm__ volatile("mov %%fs:0, %0; mov %%gs:0, %1" : "=r"(fs), "=r"(gs));
    if (fs != fs_word || gs != gs_word)
        broken("FS and GS base, FS wanted", 0, fs_word, fs);
}

/* Everything memory holds against everything the chain did. */
static void verify(void)
{
    u64 all = 0, newest = 0;
    for (u64 slot = 0; slot < slots; slot++) {
        struct slot now = primary[slot];
        check_slot(slot, link_now);
        all += weight(slot, now.link, now.value);
        if (now.link > newest)
            newest = now.link;
    }
    if (newest != link_now)
        broken("newest slot of", slots, link_now, newest);
    if (all != sum)
        broken("sum over slots", slots, sum, all);
    check_values();
}

/* Self-test: does what a bad checkpoint would do. */
static void sabotage(void)
{
    static struct slot old_primary[SLOTS_PER_PAGE];
    if (option_is("sabotage", "page")) { /* one page, as it was some links ago */
        memcpy(old_primary, primary, sizeof old_primary);
        run(link_now + slots * 8);
        memcpy(primary, old_primary, sizeof old_primary);
    } else if (option_is("sabotage", "lost")) { /* a page and its mirrors, both consistently old */
        memcpy(old_primary, primary, sizeof old_primary);
        run(link_now + slots * 8);
        for (u64 slot = 0; slot < SLOTS_PER_PAGE; slot++)
            store(slot, old_primary[slot].link, old_primary[slot].value);
    } else if (option_is("sabotage", "sse")) {
        lanes[5][1]--;
    } else if (option_is("sabotage", "twin")) {
        state_hash[0]++;
    } else if (option_is("sabotage", "x87")) {
        __asm__ volatile("fninit");
    } else if (option_is("sabotage", "fs")) {
        call0(SVC_SEGMENTS, (u64)&gs_word, (u64)&gs_word, 0);
    } else if (option_is("sabotage", "sum")) {
        sum++;
    }
}

u32 guest_main(void)
{
    u64 pages = option_in("set", 256, 2, 1u << 20) & ~1ul, count = option("count", 0), seed = option("seed", 1);
    u64 every = option_in("report", 1000000, 1, 1ul << 40);
    primary = (struct slot *)take_pages(pages);
    slots = pages / 2 * SLOTS_PER_PAGE;
    mirror = primary + slots;
    for (u64 slot = 0; slot < slots; slot++) {
        store(slot, 0, mix(seed + slot));
        sum += weight(slot, 0, mix(seed + slot));
    }
    digest = mix(~seed);
    twin = mix(seed ^ MIRROR_KEY);
    state_hash = (v2){ twin, ~twin };
    for (u32 k = 0; k < 6; k++)
        lanes[k] = lane_start[k];
    park_values();
    clock_start(option_in("tick", 10, 1, 1000));
    print("chain start set=%lu seed=%lu report=%lu at=0x%lx\n", pages, seed, every, (u64)primary);
    verify();
    while (count == 0 || link_now < count) {
        u64 last = link_now + every;
        run(count && last > count ? count : last);
        sabotage();
        verify();
        print("chain %lu ok %016lx\n", link_now, mix(digest ^ sum ^ twin));
    }
    return (u32)option_in("exit", 0, 0, 127);
}
