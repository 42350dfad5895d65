/* Port and MMIO accesses in a tight loop: what an exit costs, and whether unclaimed ports read as all ones. */
#include "guest.h"

static u64 n, khz;

static void result(const char *kind, u64 start)
{
    u64 spent = rdtsc() - start, each = spent / n;
    print("mmio %s n=%lu ticks %lu per %lu ns %lu\n", kind, n, spent, each, khz ? spent / n * 1000000 / khz : 0);
}

static void ports(const char *kind, u16 port, u32 mode)
{
    u64 start = rdtsc(), bad = call0(SVC_PORT_LOOP, port, n, mode);
    result(kind, start);
    if (bad) {
        print("mmio BAD: %lu of %lu reads of port 0x%x were not all ones\n", bad, n, port);
        guest_exit(1);
    }
}

static void memory(const char *kind, u64 address, bool user, bool read)
{
    u64 start = rdtsc();
    if (user) {
        volatile u32 *at = (volatile u32 *)address;
        for (u64 i = 0; i < n; i++) {
            if (read)
                (void)*at;
            else
                *at = (u32)i;
        }
    } else {
        call0(SVC_MMIO_LOOP, address, n, read);
    }
    result(kind, start);
}

u32 guest_main(void)
{
    n = option_in("n", 10000, 1, 1ul << 40);
    u16 port = (u16)option_in("port", 0x80, 0, 0xffff), unclaimed = (u16)option_in("unclaimed", 0x5f0, 0, 0xffff);
    u64 address = option_in("addr", 0xd8000000, 0, 0xfffffffc) & ~3ul, loop = option("loop", 0);
    khz = tsc_khz();
    print("mmio start port=0x%x unclaimed=0x%x addr=0x%lx tsc-khz %lu\n", port, unclaimed, address, khz);
    for (u64 round = 1;; round++) {
        ports("port-write-1", port, 1);
        ports("port-write-4", port, 4);
        ports("port-read-1", unclaimed, PORT_LOOP_READ | 1);
        ports("port-read-2", unclaimed, PORT_LOOP_READ | 2);
        ports("port-read-4", unclaimed, PORT_LOOP_READ | 4);
        memory("mmio-write", address, false, false);
        memory("mmio-read", address, false, true);
        memory("mmio-write-ring3", address, true, false);
        memory("mmio-read-ring3", address, true, true);
        print("mmio round %lu ok\n", round);
        if (!loop)
            return (u32)option_in("exit", 0, 0, 127);
    }
}
