#ifndef TYPES_H
#define TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define PAGE_SIZE 4096ul
#define SERIAL_RING 4096u /* a power of two */

/* Received bytes; ring 0 writes head, ring 3 writes tail, both run freely. */
struct serial_ring {
    volatile u32 head, tail;
    volatile u32 throttled; /* ring 0 switched the interrupt off because the ring was full */
    volatile u64 interrupts;
    volatile u8 bytes[SERIAL_RING];
};

extern volatile u64 ticks;
extern volatile u32 cpu_online[];
extern struct serial_ring serial_ring;

#endif
