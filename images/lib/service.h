/* What ring 3 may ask of ring 0: ud2 with RAX = number, RDI/RSI/RDX = arguments, result in RAX. Shared by C and assembly. */
#ifndef SERVICE_H
#define SERVICE_H

#define SVC_WRITE 0      /* bytes, length: to COM1 */
#define SVC_EXIT 1       /* value: debug-exit port, does not return */
#define SVC_TIMER 2      /* hz: periodic LAPIC timer, 0 stops it */
#define SVC_WAIT 3       /* tick: HLT until that tick, or until serial input is there */
#define SVC_SERIAL_IN 4  /* let COM1 interrupt for received bytes (again) */
#define SVC_HALT 5       /* interrupts on (1) or off (0): HLT for ever */
#define SVC_SPIN 6       /* spin in ring 0 for ever */
#define SVC_TRIPLE 7     /* triple fault */
#define SVC_OUT 8        /* port, value, width */
#define SVC_PORT_LOOP 9  /* port, n, width | PORT_LOOP_READ: n accesses; result: reads that were not all ones */
#define SVC_MMIO_LOOP 10 /* address, n, 1 to read: n 4-byte accesses; result: XOR of all that was read */
#define SVC_START_CPU 11 /* APIC id, index, 1 for INIT first: SIPI; cpu_online[index] tells when it is up */
#define SVC_KVMCLOCK 12  /* page: let KVM fill it once as pvclock area */
#define SVC_APIC_ID 13   /* result: own APIC id */
#define SVC_BAD_INSN 14  /* an instruction no software KVM emulates in ring 0 */
#define SVC_SEGMENTS 15  /* FS base, GS base */

#define PORT_LOOP_READ 0x100

#define MAX_CPUS 64
#define KERNEL_STACK 4096
#define USER_STACK 16384
#define TRAMPOLINE 0x8000
#define VECTOR_TIMER 0x40
#define VECTOR_SERIAL 0x44
#define VECTOR_SPURIOUS 0xff

/* Selectors in the order Linux has them: the software KVM runs ring 3 only with these. */
#define SEL_CODE32 0x08
#define SEL_CODE64 0x10
#define SEL_DATA 0x18
#define SEL_USER_DATA 0x2b
#define SEL_USER_CODE 0x33
#define SEL_TSS 0x40

#define MAGIC_PVH 0x336ec578
#define MAGIC_MULTIBOOT 0x2badb002

#endif
