/* Ends the hard way. */
#include "guest.h"

u32 guest_main(void)
{
    u64 after = option_in("after", 0, 0, 3600000);
    print("fault boot\n");
    if (after) {
        clock_start(after);
        wait_until_ms(after);
    }
    if (option_is("how", "kbd")) {
        call0(SVC_OUT, 0x64, 0xfe, 1);
        call0(SVC_HALT, 1, 0, 0);
    }
    if (option_is("how", "internal")) {
        call0(SVC_BAD_INSN, 1, 0, 0);
        print("fault internal survived\n");
        return 0;
    }
    if (option_is("how", "trap"))
        *(volatile u8 *)0x200000000ul = 1;
    call0(SVC_TRIPLE, 0, 0, 0);
    print("fault survived\n");
    return 1;
}
