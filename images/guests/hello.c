/* Prints what the loader told and ends. */
#include "guest.h"

static u32 crc32(const u8 *bytes, u64 length)
{
    u32 crc = ~0u;
    while (length--) {
        crc ^= *bytes++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

u32 guest_main(void)
{
    print("hello from a tiny guest, loaded by %s\n", machine.loader);
    print("hello cmdline: %s\n", machine.cmdline);
    print("hello memory: %lu KiB usable, heap %lu KiB at 0x%lx\n", machine.memory >> 10,
          (machine.heap_end - machine.heap_start) >> 10, machine.heap_start);
    print("hello modules: %u\n", machine.modules);
    for (u32 i = 0; i < machine.modules; i++) {
        const struct module *module = &machine.module[i];
        print("hello module %u: %lu bytes crc32 %08x text \"%s\"\n", i, module->size,
              crc32((const u8 *)module->start, module->size), module->text);
    }
    print("hello acpi: %s\n", acpi_table("FACP") ? "yes" : "no");
    u32 value = (u32)option_in("exit", 0, 0, 127);
    if (option_is("off", "acpi") && !acpi_power_off()) {
        print("hello: no ACPI power-off register\n");
        return 1;
    }
    if (option_is("off", "kbd"))
        call0(SVC_OUT, 0x64, 0xfe, 1);
    if (option_is("off", "acpi") || option_is("off", "kbd") || option_is("off", "none"))
        call0(SVC_HALT, 1, 0, 0);
    return value;
}
