/*
 * Attacks one virtio device, round after round, and shows after each attack that a reset makes it a good device again: nothing of the
 * attack touches memory any more, and a proper request gets its proper answer.
 *
 * What the device may write in an attack lies in the arena, the last MiB of RAM; everything an attack names is there or outside RAM.
 */
#include "guest.h"
#include "virtio.h"

#define MAX_QUEUES 3
#define ARENA (1ul << 20)
#define RINGS_BYTES (MAX_QUEUES * sizeof(struct ring))
#define PATIENCE_MS 30000

#define REG(r) (*(volatile u32 *)(device + (r)))

enum { NET = 1, BLK = 2, CONSOLE = 3, RNG = 4, BALLOON = 5 };
enum { A_REGISTERS, A_STATUS, A_SETUP, A_LOOP, A_OVERLAP, A_LONG, A_EXCEED, A_JUMP, A_FLIP, A_RESET, ATTACKS };

static const char *const attack_name[ATTACKS] = { "registers", "status", "setup", "loop", "overlap", "long", "exceed", "jump", "flip", "reset" };
static const char *const device_name[] = { "", "net", "blk", "console", "rng", "balloon" };

static u64 device, kind, random_state, round_now, queues, arena;
static u16 submitted[MAX_QUEUES];
static struct ring *good[MAX_QUEUES], *evil[MAX_QUEUES];
static u8 *buffer;

static u64 any(void) { return mix(random_state += 0x9e3779b97f4a7c15ul); }
static u64 below(u64 limit) { return any() % limit; }

__attribute__((noreturn)) static void broken(const char *what, u64 want, u64 have)
{
    print("hostile BROKEN at %lu: %s: want %lx have %lx\n", round_now, what, want, have);
    guest_exit(1);
}

static void find_device(void)
{
    device = virtio_find(kind);
    if (device != 0)
        return;
    print("hostile: no such device\n");
    guest_exit(2);
}

/*
 * Where an attack points: mostly into the arena, else to places that are no RAM, at its edge, or beyond all addresses. A balloon's queues
 * name memory to give up, and it would be the guest's own fault if what they name by accident were its code.
 */
static u64 bad_address(void)
{
    u64 inside = (arena + RINGS_BYTES + below(ARENA - RINGS_BYTES)) & ~15ul;
    switch (below(12)) {
    case 0: return kind == BALLOON ? inside : arena + below(RINGS_BYTES);
    case 1: return kind == BALLOON ? arena + ARENA - 16 : arena + ARENA - below(64);
    case 2: return device + below(0x200);
    case 3: return 0xfec00000 + below(0x1000);
    case 4: return ~0ul - below(8192);
    case 5: return any() | 1ul << 40;
    case 6: return kind == BALLOON ? inside : arena + below(ARENA);
    default: return inside;
    }
}

static u32 bad_length(void)
{
    u32 whole = kind == BALLOON ? ~3u : ~0u;
    switch (below(8)) {
    case 0: return 0;
    case 1: return below(2) ? 0xffffffff - (u32)below(3) : (u32)any() | 0x80000000;
    case 2: return (u32)below(ARENA) & whole;
    case 3: return 512 * (u32)(1 + below(64));
    default: return (1 + (u32)below(100)) & whole;
    }
}

/* What a device finds in the arena: headers of requests that are nearly right; page numbers, most of them outside RAM. */
static void fill_arena(void)
{
    static const u32 types[] = { 0, 1, 4, 8, 11, 13, 0, 1 };
    for (u64 at = RINGS_BYTES; at < ARENA; at += 16) {
        u32 *word = (u32 *)(arena + at);
        u64 r = any();
        if (kind == BALLOON) {
            word[0] = word[1] = word[2] = (u32)(r >> 32) | 0x80000000;
            word[3] = r & 0x700 ? (u32)r | 0x80000000 : (u32)((arena + (r & (ARENA - 1))) / PAGE_SIZE);
        } else {
            word[0] = r & 0x700 ? types[r & 7] : (u32)(r >> 32);
            word[1] = (u32)(r >> 16);
            word[2] = r & 0x3000 ? (u32)(r >> 50) : (u32)(r >> 20);
            word[3] = r & 0xc000 ? 0 : (u32)r;
        }
    }
}

/* Up to FEATURES_OK, with all that is offered or with what the checks need. */
static void negotiate(bool all)
{
    REG(R_STATUS) = 0;
    REG(R_STATUS) = 1;
    REG(R_STATUS) = 3;
    for (u32 half = 0; half < 2; half++) {
        REG(R_DEVICE_FEATURES_SEL) = half;
        REG(R_DRIVER_FEATURES_SEL) = half;
        u32 offered = REG(R_DEVICE_FEATURES), flush = kind == BLK && half == 0 ? 1u << 9 : 0;
        REG(R_DRIVER_FEATURES) = all ? offered : half == 1 ? 1 : kind == NET ? 1u << 17 : flush;
    }
    REG(R_STATUS) = 11;
}

static void start(struct ring *const *rings, bool all)
{
    negotiate(all);
    for (u32 q = 0; q < queues; q++) {
        memset(rings[q], 0, sizeof(struct ring));
        submitted[q] = 0;
        virtio_start_queue(device, q, rings[q]);
    }
    REG(R_STATUS) = 15;
}

static void show(struct ring *ring, u32 queue, u16 index)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    *(volatile u16 *)&ring->available.index = index;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    REG(R_NOTIFY) = queue;
}

static void write_register(void)
{
    static const u16 known[] = { R_STATUS, R_NOTIFY, R_QUEUE_SEL, R_QUEUE_NUM, R_QUEUE_READY, R_DESC, R_DESC + 4, R_AVAIL, R_USED,
                                 R_USED + 4, R_DRIVER_FEATURES, R_DRIVER_FEATURES_SEL, R_ACKNOWLEDGE, 0xac, R_CONFIG, R_CONFIG + 4 };
    u64 at = device + (below(4) ? known[below(16)] : below(0x1000 - 8)), value = below(3) ? below(16) : any();
    if (at == device + R_DESC || at == device + R_AVAIL || at == device + R_USED)
        value = bad_address();
    switch (below(8)) {
    case 0: *(volatile u8 *)at = (u8)value; break;
    case 1: *(volatile u16 *)at = (u16)value; break;
    case 2: *(volatile u64 *)at = value; break;
    case 3: (void)*(volatile u32 *)at; break;
    case 4: (void)*(volatile u64 *)at; break;
    default: *(volatile u32 *)at = (u32)value; break;
    }
}

static void make_descriptor(struct descriptor *d, u32 i, u32 attack)
{
    u16 flags = (u16)(below(8) ? below(4) : any());
    *d = (struct descriptor){ bad_address(), bad_length(), flags, (u16)below(RING) };
    switch (attack) {
    case A_LOOP: /* round and round, or back to itself, with buffers that are in order */
        *d = (struct descriptor){ (arena + RINGS_BYTES + below(ARENA / 2)) & ~15ul, 16 + 496 * (i % 3 == 1), D_NEXT, (u16)(i + below(2)) };
        d->next %= RING;
        d->flags |= i % 8 > 1 ? D_WRITE : 0;
        break;
    case A_OVERLAP: /* what the device writes is the ring it reads */
        d->address = arena + below(RINGS_BYTES);
        d->length = 1 + (u32)below(1024);
        d->flags &= D_NEXT | D_WRITE;
        break;
    case A_LONG:
        d->length = below(2) ? 0xffffffff - (u32)below(64) : (u32)(arena + ARENA - d->address + 1);
        break;
    case A_EXCEED: /* beyond the table; indirect tables in the arena, in tables, of odd and huge lengths */
        d->next = below(2) ? (u16)any() : d->next;
        d->flags = (u16)(below(2) ? D_INDIRECT | (any() & 3) : d->flags);
        d->length = below(2) ? 16 * (u32)below(80) : d->length;
        break;
    case A_RESET: /* large and proper: they are under way when the reset comes */
        *d = (struct descriptor){ (arena + RINGS_BYTES + below(ARENA / 4)) & ~15ul, i % 2 ? 512 * (u32)(1 + below(1024)) : 16, 0, 0 };
        d->flags = i % 2 ? D_WRITE : D_NEXT;
        d->next = (u16)((i + 1) % RING);
        break;
    }
}

static void make_chains(struct ring *ring, u32 attack)
{
    for (u32 i = 0; i < RING; i++)
        make_descriptor(&ring->table[i], i, attack);
    for (u32 i = 0; i < RING; i++)
        ring->available.entry[i] = (u16)(attack == A_RESET ? i & ~1u : attack == A_JUMP && !below(16) ? any() : below(RING));
    struct descriptor *table = (struct descriptor *)(arena + RINGS_BYTES);
    for (u32 i = 0; attack == A_EXCEED && i < (ARENA - RINGS_BYTES) / sizeof *table; i += 8)
        make_descriptor(&table[i], i, A_LONG);
}

static void setup_attack(void)
{
    negotiate(below(2));
    for (u32 q = 0; q < queues; q++) {
        u64 table = bad_address(), available = below(2) ? table : bad_address(), used = below(2) ? table : bad_address();
        virtio_set_queue(device, q, below(2) ? RING : (u32)any(), table & ~15ul, available & ~1ul, used & ~(below(8) ? 3ul : 0));
    }
    REG(R_STATUS) = 15;
    for (u32 i = 0; i < 8; i++)
        REG(R_NOTIFY) = (u32)below(MAX_QUEUES + 1);
}

static void ring_attack(u32 attack)
{
    u64 most = kind == BALLOON ? 4 : RING; /* a host takes long to take pages back */
    fill_arena();
    start(evil, below(4));
    for (u32 shot = 0; shot < 6; shot++) {
        u32 q = kind == BALLOON && (attack == A_OVERLAP || attack == A_EXCEED || attack == A_FLIP) ? 1 : (u32)below(queues);
        make_chains(evil[q], attack);
        submitted[q] += (u16)(attack == A_JUMP ? (below(2) ? RING + 1 + below(60000) : any()) : 1 + below(most));
        show(evil[q], q, submitted[q]);
        for (u32 i = 0; attack == A_FLIP && i < 4000; i++)
            ((volatile u32 *)evil[q])[below(sizeof(struct ring) / 4)] = (u32)(below(2) ? any() : below(RING));
        if (attack == A_RESET && below(2))
            return;
        if (below(4) == 0)
            REG(R_ACKNOWLEDGE) = REG(R_INTERRUPT);
    }
}

static void attack_device(u32 attack)
{
    for (u32 i = 0; attack == A_REGISTERS && i < 200; i++)
        write_register();
    for (u32 i = 0; attack == A_STATUS && i < 60; i++)
        REG(R_STATUS) = below(2) ? (u32)any() : (1u << below(9)) - 1;
    if (attack == A_SETUP)
        setup_attack();
    if (attack > A_SETUP)
        ring_attack(attack);
}

/* After a reset the memory of the attack is ours again. */
static void reset_and_watch(void)
{
    REG(R_STATUS) = 0;
    if (REG(R_STATUS) != 0)
        broken("status after a reset", 0, REG(R_STATUS));
    u64 *word = (u64 *)arena;
    for (u64 i = 0; i < ARENA / 8; i++)
        word[i] = i ^ round_now << 32;
    for (u32 i = 0; i < 50; i++)
        (void)REG(R_INTERRUPT);
    for (u64 i = 0; i < ARENA / 8; i++)
        if (word[i] != (i ^ round_now << 32))
            broken("memory after a reset", i ^ round_now << 32, word[i]);
}

/* One request of a part the device reads and a part it writes; either may be empty. Returns the length it says it wrote. */
static u32 request(u32 queue, const void *out, u32 out_length, void *in, u32 in_length)
{
    struct ring *ring = good[queue];
    u32 n = 0;
    if (out_length)
        ring->table[n++] = (struct descriptor){ (u64)out, out_length, (u16)(in_length ? D_NEXT : 0), 1 };
    if (in_length)
        ring->table[n++] = (struct descriptor){ (u64)in, in_length, D_WRITE, 0 };
    u16 at = submitted[queue]++;
    ring->available.entry[at % RING] = 0;
    show(ring, queue, submitted[queue]);
    u64 begun = clock_ms();
    while (*(volatile u16 *)&ring->used.index != submitted[queue]) {
        if (clock_ms() - begun > PATIENCE_MS)
            broken("answers to a proper request", submitted[queue], ring->used.index);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (ring->used.entry[at % RING].id != 0)
        broken("the chain that was answered", 0, ring->used.entry[at % RING].id);
    return ring->used.entry[at % RING].length;
}

static void check_disk(void)
{
    u64 *header = (u64 *)buffer, *data = header + 2; /* type, sector */
    u8 *answer = buffer + 1024;
    header[0] = 1;
    header[1] = below(8);
    for (u32 i = 0; i < 64; i++)
        data[i] = mix(round_now * 64 + i);
    *answer = 0xff;
    u32 length = request(0, buffer, 16 + 512, answer, 1);
    if (length != 1 || *answer != 0)
        broken("a write", 1, length << 8 | *answer);
    header[0] = 0;
    answer[512] = 0xff;
    length = request(0, buffer, 16, answer, 513);
    if (length != 513 || answer[512] != 0)
        broken("a read", 513, (u64)length << 8 | answer[512]);
    for (u32 i = 0; i < 64; i++)
        if (((u64 *)answer)[i] != mix(round_now * 64 + i))
            broken("what was written", mix(round_now * 64 + i), ((u64 *)answer)[i]);
}

static void check_card(void)
{
    memset(buffer, 0, 72);
    memset(buffer + 12, 0xff, 6);
    buffer[18] = 0x02;
    buffer[24] = 0x88; /* a type for experiments */
    buffer[25] = 0xb5;
    u32 length = request(1, buffer, 72, 0, 0);
    if (length != 0)
        broken("a frame", 0, length);
    buffer[100] = 0xff;
    length = request(2, buffer + 32, 3, buffer + 100, 1); /* receive mode: not offered */
    if (length != 1 || buffer[100] != 1)
        broken("a control request", 1, length << 8 | buffer[100]);
}

static void check_entropy(void)
{
    u64 *word = (u64 *)buffer;
    memset(buffer, 0, 64);
    u32 length = request(0, 0, 0, buffer, 64);
    if (length != 64)
        broken("entropy", 64, length);
    for (u32 i = 0; i < 8; i++)
        if (word[i] == 0)
            broken("entropy word", 1, 0);
}

static void check_console(void)
{
    u32 length = request(1, buffer, format((char *)buffer, 64, "\nconsole round %lu\n", round_now), 0, 0);
    if (length != 0)
        broken("a line", 0, length);
}

static void check_balloon(void)
{
    u64 *page = (u64 *)(buffer + PAGE_SIZE);
    page[0] = page[511] = ~0ul;
    *(u32 *)buffer = (u32)((u64)page / PAGE_SIZE);
    u32 length = request(0, buffer, 4, 0, 0);
    if (length != 0 || page[0] != 0 || page[511] != 0)
        broken("a page given up", 0, page[0]);
}

static void (*const checks[])(void) = { 0, check_card, check_disk, check_console, check_entropy, check_balloon };

static void check_device(void)
{
    start(good, false);
    if (!(REG(R_STATUS) & 8))
        broken("features", 15, REG(R_STATUS));
    checks[kind]();
    if (REG(R_STATUS) != 15)
        broken("status after a proper request", 15, REG(R_STATUS));
}

u32 guest_main(void)
{
    u64 rounds = option("rounds", 0), failures = 0;
    for (kind = NET; kind <= BALLOON && !option_is("device", device_name[kind]); kind++)
        ;
    random_state = option("seed", 1);
    arena = machine.heap_end - ARENA;
    clock_start(10);
    find_device();
    for (; queues < MAX_QUEUES; queues++) {
        REG(R_QUEUE_SEL) = (u32)queues;
        if (REG(R_QUEUE_MAX) < RING)
            break;
        good[queues] = (struct ring *)take_pages(sizeof(struct ring) / PAGE_SIZE);
        evil[queues] = (struct ring *)(arena + queues * sizeof(struct ring));
    }
    buffer = take_pages(2);
    print("hostile start device=%s queues=%lu seed=%lu arena=0x%lx\n", device_name[kind], queues, random_state, arena);
    for (round_now = 1; rounds == 0 || round_now <= rounds; round_now++) {
        u32 attack = round_now % ATTACKS;
        attack_device(attack);
        u32 status = REG(R_STATUS);
        failures += (status & NEEDS_RESET) != 0;
        reset_and_watch();
        check_device();
        print("hostile %lu %s status %02x ok\n", round_now, attack_name[attack], status);
    }
    print("hostile end rounds %lu needs-reset %lu\n", rounds, failures);
    return 0;
}
