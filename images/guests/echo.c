/* Answers serial input line by line, driven by the UART's interrupt. */
#include "guest.h"

#define LINE 1000

static u8 next_byte(void)
{
    while (serial_ring.head == serial_ring.tail) {
        if (serial_ring.throttled)
            call0(SVC_SERIAL_IN, 0, 0, 0);
        call0(SVC_WAIT, ~0ul, 0, 0);
    }
    u8 byte = serial_ring.bytes[serial_ring.tail % SERIAL_RING];
    serial_ring.tail++;
    return byte;
}

u32 guest_main(void)
{
    static char line[LINE + 1];
    u64 bytes = 0, lines = 0;
    call0(SVC_SERIAL_IN, 0, 0, 0);
    print("echo ready\n");
    for (u8 previous = 0;;) {
        u32 used = 0;
        while (used < LINE) { /* a longer line goes on as the next one */
            u8 byte = next_byte();
            bool end = byte == '\r' || (byte == '\n' && previous != '\r');
            bytes++;
            previous = byte;
            if (end)
                break;
            if (byte != '\n')
                line[used++] = (char)byte;
        }
        line[used] = 0;
        lines++;
        if (text_equal(line, "quit"))
            break;
        if (text_equal(line, "stats"))
            print("echo stats lines %lu bytes %lu interrupts %lu\n", lines, bytes, serial_ring.interrupts);
        else
            print("echo: %s\n", line);
    }
    print("echo quit lines %lu bytes %lu interrupts %lu\n", lines, bytes, serial_ring.interrupts);
    return (u32)option_in("exit", 0, 0, 127);
}
