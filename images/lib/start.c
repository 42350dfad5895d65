/* First ring-3 code: what the loader told, other CPUs, time. */
#include "guest.h"

struct pvh_start {
    u32 magic, version, flags, modules;
    u64 module_list, cmdline, rsdp, memory_map;
    u32 memory_map_entries, reserved;
};

struct pvh_module {
    u64 start, size, cmdline, reserved;
};

struct pvh_range {
    u64 start, size;
    u32 type, reserved;
};

struct multiboot_info {
    u32 flags, memory_lower, memory_upper, boot_device, cmdline, modules, module_list, symbols[4], map_length, map_start;
};

struct multiboot_module {
    u32 start, end, cmdline, reserved;
};

struct multiboot_range {
    u32 size; /* of what follows */
    u64 start, length;
    u32 type;
} __attribute__((packed));

struct range {
    u64 start, end;
};

#define LOADER_END 0xc0000000ul
#define HIGH_START 0x100000000ul
#define MAPPED_END 0x200000000ul

extern u32 boot_magic, boot_info;
extern u8 image_start[], image_end[];

struct machine machine;

static struct range memory[32], taken[16];
static u32 memories, takens;
static void (*volatile cpu_work)(u32 index);

void user_start(u32 index);

static void take(u64 start, u64 size)
{
    if (takens < sizeof taken / sizeof taken[0])
        taken[takens++] = (struct range){ start & -PAGE_SIZE, (start + size + PAGE_SIZE - 1) & -PAGE_SIZE };
}

static void add_memory(u64 start, u64 size)
{
    machine.memory += size;
    if (memories < sizeof memory / sizeof memory[0])
        memory[memories++] = (struct range){ start, start + size };
}

static void copy_text(char *to, u64 from, u32 size)
{
    u32 used = 0;
    if (from && from < LOADER_END)
        for (const char *text = (const char *)from; *text && used < size - 1; text++)
            to[used++] = *text;
    to[used] = 0;
}

static void add_module(u64 start, u64 size, u64 text)
{
    if (machine.modules == MAX_MODULES || start >= LOADER_END || size > LOADER_END - start)
        return;
    struct module *module = &machine.module[machine.modules++];
    module->start = start;
    module->size = size;
    copy_text(module->text, text, sizeof module->text);
    take(start, size);
}

static void read_pvh(const struct pvh_start *info)
{
    machine.loader = "pvh";
    copy_text(machine.cmdline, info->cmdline, CMDLINE_SIZE);
    machine.rsdp = info->rsdp;
    for (u32 i = 0; i < info->modules && i < MAX_MODULES; i++) {
        const struct pvh_module *module = (const struct pvh_module *)info->module_list + i;
        add_module(module->start, module->size, module->cmdline);
    }
    if (info->version >= 1)
        for (u32 i = 0; i < info->memory_map_entries && i < 128; i++) {
            const struct pvh_range *range = (const struct pvh_range *)info->memory_map + i;
            if (range->type == 1)
                add_memory(range->start, range->size);
        }
}

static void read_multiboot(const struct multiboot_info *info)
{
    machine.loader = "multiboot";
    if (info->flags & 1 << 2)
        copy_text(machine.cmdline, info->cmdline, CMDLINE_SIZE);
    if (info->flags & 1 << 3)
        for (u32 i = 0; i < info->modules && i < MAX_MODULES; i++) {
            const struct multiboot_module *module = (const struct multiboot_module *)(u64)info->module_list + i;
            if (module->end >= module->start)
                add_module(module->start, module->end - module->start, module->cmdline);
        }
    if (info->flags & 1 << 6) {
        u64 at = info->map_start, end = at + info->map_length;
        while (at + sizeof(struct multiboot_range) <= end) {
            const struct multiboot_range *range = (const struct multiboot_range *)at;
            if (range->type == 1)
                add_memory(range->start, range->length);
            at += range->size + 4;
        }
    } else if (info->flags & 1) {
        add_memory(0, (u64)info->memory_lower << 10);
        add_memory(1ul << 20, (u64)info->memory_upper << 10);
    }
}

/* With high=1: what there is above 4 GiB, where no loader puts anything. */
static void find_high_heap(void)
{
    for (u32 k = 0; k < memories; k++)
        if (memory[k].start <= HIGH_START && memory[k].end > HIGH_START) {
            machine.heap_start = HIGH_START;
            machine.heap_end = (memory[k].end < MAPPED_END ? memory[k].end : MAPPED_END) & -PAGE_SIZE;
        }
}

/* Every free gap begins where something taken ends. */
static void find_heap(void)
{
    if (option("high", 0)) {
        find_high_heap();
        return;
    }
    take((u64)image_start, (u64)(image_end - image_start));
    for (u32 i = 0; i < takens; i++) {
        u64 start = taken[i].end, end = 0;
        if (start < (u64)image_start)
            continue;
        for (u32 k = 0; k < memories; k++)
            if (start >= memory[k].start && start < memory[k].end)
                end = memory[k].end & -PAGE_SIZE;
        if (end > LOADER_END)
            end = LOADER_END;
        for (u32 k = 0; k < takens; k++) {
            if (taken[k].start <= start && taken[k].end > start)
                end = 0;
            else if (taken[k].start > start && taken[k].start < end)
                end = taken[k].start;
        }
        if (end > start && end - start > machine.heap_end - machine.heap_start) {
            machine.heap_start = start;
            machine.heap_end = end;
        }
    }
}

void machine_read(void)
{
    if (boot_magic == MAGIC_PVH && *(const u32 *)(u64)boot_info == MAGIC_PVH)
        read_pvh((const struct pvh_start *)(u64)boot_info);
    else if (boot_magic == MAGIC_MULTIBOOT)
        read_multiboot((const struct multiboot_info *)(u64)boot_info);
    else
        machine.loader = "unknown";
    if (!machine.rsdp)
        machine.rsdp = find_rsdp();
    find_heap();
}

u8 *take_pages(u64 pages)
{
    u64 free = (machine.heap_end - machine.heap_start) / PAGE_SIZE;
    if (pages > free) {
        print("guest: %lu pages wanted, %lu free\n", pages, free);
        guest_exit(2);
    }
    u8 *at = (u8 *)machine.heap_start;
    machine.heap_start += pages * PAGE_SIZE;
    return at;
}

/* A CPU that comes up after it was given up would take the index of the next one, hence no second chance. */
static void start_cpu(u32 apic_id, u32 index)
{
    u64 second = clock_ms() + 500, limit = clock_ms() + 20000;
    call0(SVC_START_CPU, apic_id, index, 1);
    while (!cpu_online[index]) {
        if (clock_ms() >= second) {
            call0(SVC_START_CPU, apic_id, index, 0);
            second = limit;
        }
        if (clock_ms() >= limit) {
            print("guest: CPU with APIC id %u does not start\n", apic_id);
            guest_exit(1);
        }
        cpu_relax();
    }
}

u32 cpus_start(void (*work)(u32 index))
{
    u32 ids[MAX_CPUS], count = acpi_cpus(ids, MAX_CPUS);
    if (count == 0) {
        count = (u32)option_in("cpus", 1, 1, MAX_CPUS);
        for (u32 i = 0; i < count; i++)
            ids[i] = i;
    }
    u32 self = (u32)call0(SVC_APIC_ID, 0, 0, 0), index = 1;
    cpu_work = work;
    for (u32 i = 0; i < count; i++) {
        if (ids[i] == self || index == MAX_CPUS)
            continue;
        start_cpu(ids[i], index++);
    }
    return index;
}

__attribute__((force_align_arg_pointer, noreturn)) void user_start(u32 index)
{
    if (index == 0) {
        machine_read();
        guest_exit(guest_main());
    }
    cpu_work(index);
    call0(SVC_HALT, 1, 0, 0);
    __builtin_unreachable();
}
