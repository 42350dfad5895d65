/* The little of ACPI that tiny guests want: tables by signature, CPUs, power-off. */
#include "guest.h"

#define ACPI_LIMIT 0x100000000ul
#define TABLE_LIMIT (1u << 20)

static bool same(const u8 *bytes, const char *text, u32 length)
{
    for (u32 i = 0; i < length; i++)
        if (bytes[i] != (u8)text[i])
            return false;
    return true;
}

static u32 get32(const u8 *at) { return at[0] | (u32)at[1] << 8 | (u32)at[2] << 16 | (u32)at[3] << 24; }
static u64 get64(const u8 *at) { return get32(at) | (u64)get32(at + 4) << 32; }

static bool sums_to_zero(const u8 *at, u32 length)
{
    u8 sum = 0;
    while (length--)
        sum = (u8)(sum + *at++);
    return sum == 0;
}

static u64 scan(u64 start, u64 end)
{
    for (; start < end; start += 16)
        if (same((const u8 *)start, "RSD PTR ", 8) && sums_to_zero((const u8 *)start, 20))
            return start;
    return 0;
}

u64 find_rsdp(void)
{
    u64 ebda = (u64)*(const volatile u16 *)0x40e << 4, found = 0;
    if (ebda >= 0x80000 && ebda < 0xa0000)
        found = scan(ebda, ebda + 1024);
    return found ? found : scan(0xe0000, 0x100000);
}

static const u8 *checked(u64 address)
{
    const u8 *table = (const u8 *)address;
    if (!address || address > ACPI_LIMIT - TABLE_LIMIT)
        return 0;
    u32 length = get32(table + 4);
    return length >= 36 && length <= TABLE_LIMIT && sums_to_zero(table, length) ? table : 0;
}

const u8 *acpi_table(const char *signature)
{
    const u8 *rsdp = (const u8 *)machine.rsdp;
    if (!rsdp || machine.rsdp > ACPI_LIMIT - 64 || !same(rsdp, "RSD PTR ", 8))
        return 0;
    bool wide = rsdp[15] >= 2 && get64(rsdp + 24);
    const u8 *root = checked(wide ? get64(rsdp + 24) : get32(rsdp + 16));
    if (!root)
        return 0;
    u32 step = wide ? 8 : 4, length = get32(root + 4);
    for (u32 at = 36; at + step <= length; at += step) {
        const u8 *table = checked(wide ? get64(root + at) : get32(root + at));
        if (table && same(table, signature, 4))
            return table;
    }
    return 0;
}

u32 acpi_cpus(u32 *apic_ids, u32 limit)
{
    const u8 *madt = acpi_table("APIC");
    u32 count = 0;
    if (!madt)
        return 0;
    u32 length = get32(madt + 4);
    for (u32 at = 44; at + 8 <= length && madt[at + 1] >= 2; at += madt[at + 1])
        if (madt[at] == 0 && get32(madt + at + 4) & 1 && count < limit)
            apic_ids[count++] = madt[at + 3];
    return count;
}

/* Hardware-reduced ACPI: sleep type 5 and the enable bit into the SLEEP_CONTROL register. */
bool acpi_power_off(void)
{
    const u8 *fadt = acpi_table("FACP");
    if (!fadt || get32(fadt + 4) < 256)
        return false;
    u64 address = get64(fadt + 248);
    if (!address)
        return false;
    if (fadt[244] == 1)
        call0(SVC_OUT, address, 5 << 2 | 0x20, 1);
    else if (fadt[244] == 0 && address < ACPI_LIMIT)
        *(volatile u8 *)address = 5 << 2 | 0x20;
    return true;
}
