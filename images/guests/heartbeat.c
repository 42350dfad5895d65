/* A numbered line per period, by LAPIC ticks. */
#include "guest.h"

u32 guest_main(void)
{
    u64 period = option_in("period", 100, 1, 3600000), count = option("count", 0);
    clock_start(period);
    for (u64 n = 1; count == 0 || n <= count; n++) {
        wait_until_ms((n - 1) * period);
        print("heartbeat %lu t=%lu\n", n, clock_ms());
    }
    return (u32)option_in("exit", 0, 0, 127);
}
