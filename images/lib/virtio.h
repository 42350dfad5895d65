/* The driver's view of a virtio-mmio device, version 2, and of a split queue (virtio 1.2, sections 4.2.2 and 2.7). */
#ifndef VIRTIO_H
#define VIRTIO_H

#include "types.h"

#define RING 64

#define R_MAGIC 0x000
#define R_VERSION 0x004
#define R_DEVICE 0x008
#define R_DEVICE_FEATURES 0x010
#define R_DEVICE_FEATURES_SEL 0x014
#define R_DRIVER_FEATURES 0x020
#define R_DRIVER_FEATURES_SEL 0x024
#define R_QUEUE_SEL 0x030
#define R_QUEUE_MAX 0x034
#define R_QUEUE_NUM 0x038
#define R_QUEUE_READY 0x044
#define R_NOTIFY 0x050
#define R_INTERRUPT 0x060
#define R_ACKNOWLEDGE 0x064
#define R_STATUS 0x070
#define R_DESC 0x080
#define R_AVAIL 0x090
#define R_USED 0x0a0
#define R_CONFIG 0x100

#define MAGIC_VIRTIO 0x74726976
#define NEEDS_RESET 0x40

#define D_NEXT 1
#define D_WRITE 2
#define D_INDIRECT 4

struct descriptor {
    u64 address;
    u32 length;
    u16 flags, next;
};

struct ring {
    struct descriptor table[RING];
    struct {
        u16 flags, index, entry[RING + 1];
    } available;
    u8 gap[4096 - RING * 16 - 4 - (RING + 1) * 2];
    struct {
        u16 flags, index;
        struct {
            u32 id, length;
        } entry[RING];
        u16 event;
    } used;
} __attribute__((aligned(4096)));

/* The first device of a kind; 0 when there is none. */
u64 virtio_find(u32 kind);

/* Resets the device and asks for these of the first 32 features, and VERSION_1; false when it refuses. It then waits for queues and DRIVER_OK. */
bool virtio_negotiate(u64 device, u32 features);

void virtio_set_queue(u64 device, u32 queue, u32 size, u64 table, u64 available, u64 used);

/* A queue without interrupts: the driver looks itself. False when the device has no room for a ring of ours. */
bool virtio_start_queue(u64 device, u32 queue, struct ring *ring);

#endif
