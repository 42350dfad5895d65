/* Spins for ever, in ring 3 or in ring 0. */
#include "guest.h"

u32 guest_main(void)
{
    u64 ring = option_in("ring", 3, 0, 3);
    static volatile u64 count;
    print("spin start ring=%lu\n", ring);
    if (ring == 0)
        call0(SVC_SPIN, 0, 0, 0);
    for (;;)
        count++;
}
