// What it costs to keep a page as it was at a cut: to copy it there and then, or to write-protect it and copy it when it is written
// (userfaultfd, UFFDIO_WRITEPROTECT). Prints nanoseconds a page.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 131072, TAKEN = 25600, ROUNDS = 5 };

static uint8_t *ram, *staging;
static uint32_t taken[TAKEN];
static int faults;

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

// The median of what a function measures.
static double median(double (*measure)(int), int argument)
{
    double results[ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        results[i] = measure(argument);
    qsort(results, ROUNDS, sizeof(results[0]), compare);
    return results[ROUNDS / 2];
}

// Runs of so many pages, spread over all RAM.
static void choose(int run)
{
    int runs = TAKEN / run;
    for (int i = 0; i < TAKEN; i++)
        taken[i] = (uint32_t)((uint64_t)(i / run) * PAGES / (unsigned)runs) + (uint32_t)(i % run);
}

static void protect(uint32_t page, int pages, int mode)
{
    struct uffdio_writeprotect request = {
        .range = {.start = (uintptr_t)ram + (uint64_t)page * PAGE, .len = (uint64_t)pages * PAGE},
        .mode = mode ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
    };
    while (ioctl(faults, UFFDIO_WRITEPROTECT, &request) != 0)
        if (errno != EAGAIN)
            err(1, "UFFDIO_WRITEPROTECT");
}

static double copy_pages(int count)
{
    for (int i = 0; i < PAGES; i++)
        ram[(uint64_t)i * PAGE + 64]++; // leaves the caches to others
    if (count <= 512)
        for (int i = 0; i < count; i++)
            memcpy(staging + (uint64_t)i * PAGE, ram + (uint64_t)taken[i] * PAGE, PAGE);
    uint64_t start = now_ns();
    for (int i = 0; i < count; i++)
        memcpy(staging + (uint64_t)i * PAGE, ram + (uint64_t)taken[i] * PAGE, PAGE);
    return (double)(now_ns() - start) / count;
}

static double protect_runs(int run)
{
    choose(run);
    for (int i = 0; i < TAKEN; i++)
        ram[(uint64_t)taken[i] * PAGE]++;
    uint64_t start = now_ns();
    for (int i = 0; i < TAKEN; i += run)
        protect(taken[i], run, 1);
    double cost = (double)(now_ns() - start) / TAKEN;
    for (int i = 0; i < TAKEN; i += run)
        protect(taken[i], run, 0);
    return cost;
}

// Copies a page that is about to be written and lets its writer go on.
static void *serve(void *unused)
{
    (void)unused;
    struct uffd_msg message;
    while (read(faults, &message, sizeof(message)) == sizeof(message))
    {
        uint32_t page = (uint32_t)((message.arg.pagefault.address - (uintptr_t)ram) / PAGE);
        memcpy(staging, ram + (uint64_t)page * PAGE, PAGE);
        protect(page, 1, 0);
    }
    err(1, "the faults of protected pages");
}

static double write_protected(int count)
{
    choose(1);
    for (int i = 0; i < count; i++)
        protect(taken[i], 1, 1);
    uint64_t start = now_ns();
    for (int i = 0; i < count; i++)
        ram[(uint64_t)taken[i] * PAGE]++;
    return (double)(now_ns() - start) / count;
}

int main(void)
{
    int fd = memfd_create("ram", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)PAGES * PAGE) != 0)
        err(1, "memfd");
    ram = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    staging = mmap(NULL, (size_t)TAKEN * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (ram == MAP_FAILED || staging == MAP_FAILED)
        err(1, "mmap");
    choose(1);
    printf("copy at the cut, %d scattered pages        %8.0f ns\n", TAKEN, median(copy_pages, TAKEN));
    printf("copy at the cut, 256 pages copied before      %8.0f ns\n", median(copy_pages, 256));

    faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
    struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_HUGETLBFS_SHMEM};
    if (faults < 0 || ioctl(faults, UFFDIO_API, &api) != 0)
        err(77, "userfaultfd with write protection of shared memory");
    struct uffdio_register area = {.range = {.start = (uintptr_t)ram, .len = (uint64_t)PAGES * PAGE}, .mode = UFFDIO_REGISTER_MODE_WP};
    if (ioctl(faults, UFFDIO_REGISTER, &area) != 0)
        err(77, "UFFDIO_REGISTER");
    static const int runs[] = {1, 16, 256};
    for (int i = 0; i < 3; i++)
        printf("write-protect at the cut, runs of %-3d pages    %8.0f ns\n", runs[i], median(protect_runs, runs[i]));
    fcntl(faults, F_SETFL, 0);
    pthread_t server;
    if (pthread_create(&server, NULL, serve, NULL) != 0)
        errx(1, "thread");
    printf("the first write to a protected page           %8.0f ns\n", median(write_protected, 2560));
    return 0; // the server's read ends with the process
}
