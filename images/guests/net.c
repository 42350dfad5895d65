/*
 * A host on the first network card (virtio-mmio): answers ARP for its address, ICMP echo requests, and sends every UDP datagram back to
 * where it came from (the service of RFC 862, on every port). What comes is answered in order, one frame at a time.
 */
#include "guest.h"
#include "virtio.h"

#define KIND 1
#define BUFFER 2048
#define HEADER 12
#define LONGEST_FRAME 1514

#define REG(r) (*(volatile u32 *)(device + (r)))

#define F_MAC (1u << 5)

enum { ETHERNET = 14, ARP_END = 42, IP = 14, IP_END = 34, ARP_REQUEST = 1, ICMP = 1, UDP = 17 };
enum { RECEIVE, TRANSMIT };

static u64 device, address, answered;
static struct ring *rings[2];
static u8 *buffers[2];
static u16 seen[2], put[2];
static u8 mac[6];

static void offer(u32 queue, u16 slot, u32 length)
{
    struct ring *ring = rings[queue];
    ring->table[slot] = (struct descriptor){ (u64)(buffers[queue] + slot * BUFFER), length, (u16)(queue == RECEIVE ? D_WRITE : 0), 0 };
    ring->available.entry[put[queue]++ % RING] = slot;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    *(volatile u16 *)&ring->available.index = put[queue];
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void start_device(void)
{
    device = virtio_find(KIND);
    if (device == 0) {
        print("net: no network card\n");
        guest_exit(2);
    }
    bool ready = virtio_negotiate(device, F_MAC);
    for (u32 queue = RECEIVE; queue <= TRANSMIT; queue++) {
        rings[queue] = (struct ring *)take_pages((sizeof(struct ring) + 4095) / 4096);
        buffers[queue] = take_pages(RING * BUFFER / 4096);
        ready = ready && virtio_start_queue(device, queue, rings[queue]);
    }
    if (!ready) {
        print("net: the card refuses us\n");
        guest_exit(2);
    }
    for (u32 i = 0; i < sizeof mac; i++)
        mac[i] = *(volatile u8 *)(device + R_CONFIG + i);
    REG(R_STATUS) = 15;
    for (u16 slot = 0; slot < RING; slot++)
        offer(RECEIVE, slot, BUFFER);
    REG(R_NOTIFY) = RECEIVE;
}

static u32 big16(const u8 *at) { return (u32)at[0] << 8 | at[1]; }
static u32 big32(const u8 *at) { return big16(at) << 16 | big16(at + 2); }

static void swap(u8 *a, u8 *b, u32 length)
{
    for (u32 i = 0; i < length; i++) {
        u8 was = a[i];
        a[i] = b[i];
        b[i] = was;
    }
}

static bool answer_arp(u8 *frame, u32 length)
{
    if (length < ARP_END || big16(frame + 20) != ARP_REQUEST || big32(frame + 38) != address)
        return false;
    frame[21] = 2;
    memcpy(frame + 32, frame + 22, 10);
    memcpy(frame + 22, mac, sizeof mac);
    for (u32 i = 0; i < 4; i++)
        frame[28 + i] = (u8)(address >> (24 - 8 * i));
    return true;
}

/* Swapping addresses and ports leaves the checksums right; of ICMP the type changes. */
static bool answer_ip(u8 *frame, u32 length)
{
    u32 header = (frame[IP] & 15u) * 4, body = IP + header;
    if (length < IP_END || header < 20 || length < body + 8 || big32(frame + 30) != address || (big16(frame + 20) & 0x3fff) != 0)
        return false;
    if (frame[23] == UDP) {
        swap(frame + body, frame + body + 2, 2);
    } else if (frame[23] == ICMP && frame[body] == 8) {
        u32 sum = big16(frame + body + 2) + 0x800;
        sum = (sum & 0xffff) + (sum >> 16);
        frame[body] = 0;
        frame[body + 2] = (u8)(sum >> 8);
        frame[body + 3] = (u8)sum;
    } else {
        return false;
    }
    swap(frame + 26, frame + 30, 4);
    return true;
}

static void answer(const u8 *received, u32 length)
{
    u16 slot = put[TRANSMIT] % RING;
    u8 *buffer = buffers[TRANSMIT] + slot * BUFFER, *frame = buffer + HEADER;
    if (length < ETHERNET || length > LONGEST_FRAME)
        return;
    memset(buffer, 0, HEADER);
    memcpy(frame, received, length);
    u32 type = big16(frame + 12);
    if (!(type == 0x806 ? answer_arp(frame, length) : type == 0x800 && answer_ip(frame, length)))
        return;
    memcpy(frame, frame + 6, sizeof mac);
    memcpy(frame + 6, mac, sizeof mac);
    offer(TRANSMIT, slot, HEADER + length);
    REG(R_NOTIFY) = TRANSMIT;
    while (*(volatile u16 *)&rings[TRANSMIT]->used.index != put[TRANSMIT])
        cpu_relax();
    answered++;
}

static void take_all(void)
{
    struct ring *ring = rings[RECEIVE];
    bool any = false;
    for (; seen[RECEIVE] != *(volatile u16 *)&ring->used.index; seen[RECEIVE]++) {
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        u32 slot = ring->used.entry[seen[RECEIVE] % RING].id % RING, length = ring->used.entry[seen[RECEIVE] % RING].length;
        if (length >= HEADER && length <= BUFFER)
            answer(buffers[RECEIVE] + slot * BUFFER + HEADER, length - HEADER);
        offer(RECEIVE, (u16)slot, BUFFER);
        any = true;
    }
    if (any)
        REG(R_NOTIFY) = RECEIVE;
}

u32 guest_main(void)
{
    u64 pause = option("tick", 0), report = option_in("report", 1000, 1, 3600000), next = 0, due = report;
    address = option_in("address", 0x0a080002, 1, 0xffffffff);
    clock_start(pause ? pause : 10);
    start_device();
    print("net start mac=%02x:%02x:%02x:%02x:%02x:%02x address=%lu.%lu.%lu.%lu\n", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
          address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
    while (true) {
        take_all();
        if (clock_ms() >= due) {
            due = clock_ms() + report;
            print("net answered %lu\n", answered);
        }
        if (pause)
            wait_until_ms(next = (clock_ms() > next ? clock_ms() : next) + pause);
        else
            cpu_relax();
    }
}
