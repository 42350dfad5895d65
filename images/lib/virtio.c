/* What a driver does before its device works. */
#include "virtio.h"
#include "guest.h"

#define FIRST_WINDOW 0xc0001000ul
#define WINDOW_BYTES 0x1000
#define WINDOWS 32

#define REG(r) (*(volatile u32 *)(device + (r)))

static void set_address(u64 device, u64 low, u64 where)
{
    REG(low) = (u32)where;
    REG(low + 4) = (u32)(where >> 32);
}

u64 virtio_find(u32 kind)
{
    for (u64 device = FIRST_WINDOW; device < FIRST_WINDOW + WINDOWS * WINDOW_BYTES; device += WINDOW_BYTES)
        if (REG(R_MAGIC) == MAGIC_VIRTIO && REG(R_VERSION) == 2 && REG(R_DEVICE) == kind)
            return device;
    return 0;
}

bool virtio_negotiate(u64 device, u32 features)
{
    REG(R_STATUS) = 0;
    REG(R_STATUS) = 1;
    REG(R_STATUS) = 3;
    REG(R_DRIVER_FEATURES_SEL) = 0;
    REG(R_DRIVER_FEATURES) = features;
    REG(R_DRIVER_FEATURES_SEL) = 1;
    REG(R_DRIVER_FEATURES) = 1; /* VERSION_1 */
    REG(R_STATUS) = 11;
    return (REG(R_STATUS) & 8) != 0;
}

void virtio_set_queue(u64 device, u32 queue, u32 size, u64 table, u64 available, u64 used)
{
    REG(R_QUEUE_SEL) = queue;
    REG(R_QUEUE_NUM) = size;
    set_address(device, R_DESC, table);
    set_address(device, R_AVAIL, available);
    set_address(device, R_USED, used);
    REG(R_QUEUE_READY) = 1;
}

bool virtio_start_queue(u64 device, u32 queue, struct ring *ring)
{
    REG(R_QUEUE_SEL) = queue;
    if (REG(R_QUEUE_MAX) < RING)
        return false;
    ring->available.flags = 1;
    virtio_set_queue(device, queue, RING, (u64)ring->table, (u64)&ring->available, (u64)&ring->used);
    return true;
}
