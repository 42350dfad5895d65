/* The smallest VMM that runs a PVH guest of images/: one vCPU, RAM, the in-kernel interrupt chips, a serial port that only writes.
 * What its exits cost is the physical limit that managed dispatch is compared with.
 *
 *   exit_loop IMAGE COMMAND-LINE        serial output to stdout; ends when the guest writes port 0xF4
 */
#include <elf.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    RAM_BYTES = 64 << 20,
    START_INFO = 0x6000,
    MEMORY_MAP = 0x6100,
    COMMAND_LINE = 0x6200,
    COMMAND_LINE_MAX = 0xa00,
    PVH_NOTE = 18,
    UART = 0x3f8,
    DEBUG_EXIT = 0xf4,
    CPUID_ENTRIES = 128,
};

struct start_info {
    uint32_t magic, version, flags, modules;
    uint64_t module_list, command_line, rsdp, memory_map;
    uint32_t memory_map_entries, reserved;
};

struct memory_range {
    uint64_t start, size;
    uint32_t type, reserved;
};

static uint8_t *ram;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int check(int result, const char *what)
{
    if (result < 0)
        die(what);
    return result;
}

static uint64_t pvh_entry(const uint8_t *image, const Elf64_Phdr *segment)
{
    for (uint64_t at = segment->p_offset; at + sizeof(Elf64_Nhdr) <= segment->p_offset + segment->p_filesz;) {
        const Elf64_Nhdr *note = (const void *)(image + at);
        uint64_t name = at + sizeof *note, content = name + ((note->n_namesz + 3) & ~3u);

        if (note->n_type == PVH_NOTE && note->n_namesz == 4 && !memcmp(image + name, "Xen", 4))
            return *(const uint32_t *)(image + content);
        at = content + ((note->n_descsz + 3) & ~3u);
    }
    return 0;
}

static uint64_t load(const char *path)
{
    int file = check(open(path, O_RDONLY), path);
    struct stat status;
    uint64_t entry = 0;

    check(fstat(file, &status), path);
    const uint8_t *image = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (image == MAP_FAILED)
        die("mmap");
    const Elf64_Ehdr *head = (const void *)image;
    const Elf64_Phdr *segments = (const void *)(image + head->e_phoff);
    for (int i = 0; i < head->e_phnum; i++) {
        const Elf64_Phdr *segment = &segments[i];

        if (segment->p_type == PT_LOAD && segment->p_paddr + segment->p_memsz <= RAM_BYTES)
            memcpy(ram + segment->p_paddr, image + segment->p_offset, segment->p_filesz);
        if (segment->p_type == PT_NOTE && !entry)
            entry = pvh_entry(image, segment);
    }
    if (!entry) {
        fprintf(stderr, "exit_loop: %s: no PVH entry\n", path);
        exit(2);
    }
    return entry;
}

static void describe(const char *command_line)
{
    struct start_info *info = (void *)(ram + START_INFO);
    struct memory_range *map = (void *)(ram + MEMORY_MAP);

    map[0] = (struct memory_range){ 0, 0xa0000, 1, 0 };
    map[1] = (struct memory_range){ 1 << 20, RAM_BYTES - (1 << 20), 1, 0 };
    strncpy((char *)ram + COMMAND_LINE, command_line, COMMAND_LINE_MAX - 1);
    *info = (struct start_info){ .magic = 0x336ec578, .version = 1, .command_line = COMMAND_LINE,
                                 .memory_map = MEMORY_MAP, .memory_map_entries = 2 };
}

static void set_registers(int vcpu, uint64_t entry)
{
    struct kvm_sregs sregs;
    struct kvm_regs regs = { .rip = entry, .rbx = START_INFO, .rflags = 2 };
    struct kvm_segment code = { .limit = 0xffffffff, .selector = 8, .type = 11, .present = 1, .db = 1, .s = 1, .g = 1 };
    struct kvm_segment data = { .limit = 0xffffffff, .selector = 16, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1 };

    check(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
    sregs.cs = code;
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
    sregs.tr = (struct kvm_segment){ .limit = 0x67, .selector = 24, .type = 11, .present = 1 };
    sregs.cr0 = 0x11;
    check(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
    check(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

static void set_cpuid(int kvm, int vcpu)
{
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2));

    cpuid->nent = CPUID_ENTRIES;
    check(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid), "KVM_GET_SUPPORTED_CPUID");
    check(ioctl(vcpu, KVM_SET_CPUID2, cpuid), "KVM_SET_CPUID2");
    free(cpuid);
}

/* 0 until the guest ends. */
static int port(struct kvm_run *run)
{
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    uint32_t bytes = run->io.size * run->io.count;

    if (run->io.direction == KVM_EXIT_IO_IN) {
        memset(data, 0xff, bytes);
        if (run->io.port == UART + 5)
            data[0] = 0x60;
        else if (run->io.port == UART + 2)
            data[0] = 0xc1;
        return 0;
    }
    if (run->io.port == UART)
        fwrite(data, 1, bytes, stdout);
    return run->io.port == DEBUG_EXIT;
}

int main(int count, char **arguments)
{
    if (count != 3) {
        fprintf(stderr, "usage: exit_loop IMAGE COMMAND-LINE\n");
        return 2;
    }
    int kvm = check(open("/dev/kvm", O_RDWR), "/dev/kvm"), vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
    struct kvm_pit_config pit = { 0 };

    check(ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000ul), "KVM_SET_TSS_ADDR");
    check(ioctl(vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
    check(ioctl(vm, KVM_CREATE_PIT2, &pit), "KVM_CREATE_PIT2");
    ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ram == MAP_FAILED)
        die("mmap");
    struct kvm_userspace_memory_region region = { .memory_size = RAM_BYTES, .userspace_addr = (uintptr_t)ram };
    check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
    uint64_t entry = load(arguments[1]);
    describe(arguments[2]);
    int vcpu = check(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
    set_cpuid(kvm, vcpu);
    set_registers(vcpu, entry);
    struct kvm_run *run = mmap(NULL, (size_t)check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE"),
                               PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (run == MAP_FAILED)
        die("mmap");
    for (;;) {
        check(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
        switch (run->exit_reason) {
        case KVM_EXIT_IO:
            if (port(run))
                return 0;
            break;
        case KVM_EXIT_MMIO:
            if (!run->mmio.is_write)
                memset(run->mmio.data, 0xff, sizeof run->mmio.data);
            break;
        default:
            fprintf(stderr, "exit_loop: exit reason %u\n", run->exit_reason);
            return 1;
        }
    }
}
