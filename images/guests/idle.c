/* Halts for ever. */
#include "guest.h"

u32 guest_main(void)
{
    u64 open = option_in("if", 1, 0, 1);
    print("idle start if=%lu\n", open);
    call0(SVC_HALT, open, 0, 0);
    return 0;
}
