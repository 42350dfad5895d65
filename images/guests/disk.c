/*
 * Drives the first disk (virtio-mmio block device) with a deterministic chain of writes, reads and write-zeroes and knows for every
 * sector which link wrote it last: a sector from another moment, a write the disk forgot or one it should not have is found.
 *
 * Each link puts a batch of requests into the queue, one in each part of the set, so that several are in flight when a checkpoint comes.
 * A sector holds its number, the link that wrote it and words that follow from both; what links wrote is kept in memory only.
 */
#include "guest.h"
#include "virtio.h"

#define SECTOR 512
#define SECTOR_WORDS (SECTOR / 8)
#define MAX_DEPTH 16
#define MAX_SECTORS 128
#define ZEROED 0xffffffffu

#define REG(r) (*(volatile u32 *)(device + (r)))

#define F_FLUSH (1u << 9)
#define F_WRITE_ZEROES (1u << 14)

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_WRITE_ZEROES = 13 };

struct request {
    u32 type, reserved;
    u64 sector;
    u64 zero_sector;
    u32 zero_count, zero_flags;
    volatile u8 status;
};

static u64 device, seed, set, depth, link_now, digest;
static struct ring *ring;
static struct request *requests;
static u64 *data[MAX_DEPTH];
static u32 *writer;
static u16 submitted;
static u64 first_of[MAX_DEPTH], count_of[MAX_DEPTH];

__attribute__((noreturn)) static void broken(const char *what, u64 where, u64 want, u64 have)
{
    print("disk BROKEN at %lu: %s %lu: want %016lx have %016lx\n", link_now, what, where, want, have);
    guest_exit(1);
}

static void start_device(void)
{
    if (REG(R_MAGIC) != MAGIC_VIRTIO || REG(R_VERSION) != 2 || REG(R_DEVICE) != 2) {
        print("disk: no block device at 0x%lx\n", device);
        guest_exit(2);
    }
    if (!virtio_negotiate(device, F_FLUSH | F_WRITE_ZEROES) || !virtio_start_queue(device, 0, ring)) {
        print("disk: the device refuses us\n");
        guest_exit(2);
    }
    REG(R_STATUS) = 15;
}

static void put(u32 at, u32 type, u64 sector, u64 sectors)
{
    struct request *request = &requests[at];
    struct descriptor *d = &ring->table[at * 3];
    request->type = type;
    request->sector = sector;
    request->zero_sector = sector;
    request->zero_count = (u32)sectors;
    request->zero_flags = link_now & 1;
    request->status = 0xff;
    d[0] = (struct descriptor){ (u64)request, 16, 1, (u16)(at * 3 + 1) };
    if (type == T_WRITE_ZEROES)
        d[1] = (struct descriptor){ (u64)&request->zero_sector, 16, 1, (u16)(at * 3 + 2) };
    else if (type == T_FLUSH)
        d[0].next = (u16)(at * 3 + 2);
    else
        d[1] = (struct descriptor){ (u64)data[at], (u32)(sectors * SECTOR), (u16)(type == T_IN ? 3 : 1), (u16)(at * 3 + 2) };
    d[2] = (struct descriptor){ (u64)&request->status, 1, 2, 0 };
    ring->available.entry[submitted % RING] = (u16)(at * 3);
    submitted++;
}

/* Shows the device what was put and waits until all of it has ended. */
static void go(u32 count)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    *(volatile u16 *)&ring->available.index = submitted;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    REG(R_NOTIFY) = 0;
    while (*(volatile u16 *)&ring->used.index != submitted)
        cpu_relax();
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (u32 i = 0; i < count; i++)
        if (requests[i].status != 0)
            broken("status of a request of type", requests[i].type, 0, requests[i].status);
}

static inline u64 word_of(u64 sector, u32 link, u32 word)
{
    return word == 0 ? sector : word == 1 ? link : mix(seed ^ sector * 0x9e3779b97f4a7c15ul ^ ((u64)link << 32) ^ word);
}

static void fill(u64 *to, u64 sector, u32 link)
{
    for (u32 word = 0; word < SECTOR_WORDS; word++)
        to[word] = word_of(sector, link, word);
}

static void check(const u64 *have, u64 sector)
{
    u32 link = writer[sector];
    for (u32 word = 0; word < SECTOR_WORDS; word++) {
        u64 want = link == ZEROED ? 0 : word_of(sector, link, word);
        if (have[word] != want)
            broken(word == 1 ? "link of sector" : "content of sector", sector, want, have[word]);
    }
}

static void read_back(u64 first, u64 count)
{
    put(0, T_IN, first, count);
    go(1);
    for (u64 i = 0; i < count; i++)
        check(data[0] + i * SECTOR_WORDS, first + i);
}

static void verify(void)
{
    for (u64 sector = 0; sector < set; sector += MAX_SECTORS)
        read_back(sector, set - sector < MAX_SECTORS ? set - sector : MAX_SECTORS);
}

static void one_link(void)
{
    u64 part = set / depth;
    u32 kind[MAX_DEPTH];
    link_now++;
    for (u32 i = 0; i < depth; i++) {
        u64 h = mix(digest + i * 0x9e3779b97f4a7c15ul);
        u64 count = 1 + (h >> 40) % 48, first = h % part;
        if (count > part - first)
            count = part - first;
        first_of[i] = first += part * i;
        count_of[i] = count;
        kind[i] = (h >> 56) < 112 ? T_OUT : (h >> 56) < 128 ? T_WRITE_ZEROES : T_IN;
        if (kind[i] == T_OUT)
            for (u64 s = 0; s < count; s++)
                fill(data[i] + s * SECTOR_WORDS, first + s, (u32)link_now);
        put(i, kind[i], first, count);
    }
    go((u32)depth);
    for (u32 i = 0; i < depth; i++)
        for (u64 s = 0; s < count_of[i]; s++)
            if (kind[i] == T_IN)
                check(data[i] + s * SECTOR_WORDS, first_of[i] + s);
            else
                writer[first_of[i] + s] = kind[i] == T_OUT ? (u32)link_now : ZEROED;
    digest = mix(digest ^ link_now);
    if (link_now % 64 == 0) {
        put(0, T_FLUSH, 0, 0);
        go(1);
    }
}

u32 guest_main(void)
{
    u64 count = option("count", 0), every = option_in("report", 1000, 1, 1ul << 30), pause = option("tick", 0), next = 0;
    device = option("at", 0xc0001000);
    seed = option("seed", 1);
    set = option_in("set", 4096, MAX_DEPTH, 1ul << 24);
    depth = option_in("depth", 4, 1, MAX_DEPTH);
    ring = (struct ring *)take_pages((sizeof(struct ring) + 4095) / 4096);
    requests = (struct request *)take_pages(1);
    for (u32 i = 0; i < depth; i++)
        data[i] = (u64 *)take_pages(MAX_SECTORS * SECTOR / 4096);
    writer = (u32 *)take_pages((set * sizeof *writer + 4095) / 4096);
    digest = mix(~seed);
    clock_start(pause ? pause : 10);
    start_device();
    u64 sectors = REG(R_CONFIG) | (u64)REG(R_CONFIG + 4) << 32;
    if (set > sectors)
        set = sectors;
    print("disk start sectors=%lu set=%lu depth=%lu seed=%lu\n", sectors, set, depth, seed);
    for (u64 sector = 0; sector < set; sector += MAX_SECTORS) {
        u64 part = set - sector < MAX_SECTORS ? set - sector : MAX_SECTORS;
        for (u64 i = 0; i < part; i++)
            fill(data[0] + i * SECTOR_WORDS, sector + i, 0);
        put(0, T_OUT, sector, part);
        go(1);
    }
    verify();
    print("disk filled\n");
    while (count == 0 || link_now < count) {
        for (u64 i = 0; i < every && (count == 0 || link_now < count); i++) {
            one_link();
            if (pause)
                wait_until_ms(next = (clock_ms() > next ? clock_ms() : next) + pause);
        }
        verify();
        print("disk %lu ok %016lx\n", link_now, digest);
    }
    return (u32)option_in("exit", 0, 0, 127);
}
