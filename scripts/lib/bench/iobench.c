/* Reads a block device past the page cache and prints what that gives:
 *   iobench DEVICE SECONDS -> "bench seq MIB_PER_S", "bench qd1 IOPS", "bench qd32 IOPS"
 * Sequential reads have 1 MiB, random ones 4 KiB with one or 32 threads, each with one request under way. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <linux/fs.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096, PIECE = 1 << 20, MAX_THREADS = 32 };

static int device;
static uint64_t size;
static double seconds, end;
static uint64_t counts[MAX_THREADS];

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *buffer_of(size_t bytes)
{
    void *buffer;
    if (posix_memalign(&buffer, 4096, bytes) != 0)
        exit(1);
    return buffer;
}

static void *read_randomly(void *argument)
{
    uint64_t *count = argument, state = 88172645463325252ull + (uint64_t)(count - counts) * 0x9E3779B97F4A7C15ull;
    void *buffer = buffer_of(BLOCK);
    while (now() < end) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if (pread(device, buffer, BLOCK, (off_t)(state % (size / BLOCK) * BLOCK)) != BLOCK) {
            perror("iobench: pread");
            exit(1);
        }
        ++*count;
    }
    free(buffer);
    return NULL;
}

static void random_reads(int threads)
{
    pthread_t running[MAX_THREADS];
    uint64_t sum = 0;
    double start = now();
    end = start + seconds;
    for (int i = 0; i < threads; i++) {
        counts[i] = 0;
        if (pthread_create(&running[i], NULL, read_randomly, &counts[i]) != 0)
            exit(1);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(running[i], NULL);
        sum += counts[i];
    }
    printf("bench qd%d %.0f\n", threads, (double)sum / (now() - start));
}

static void sequential_reads(void)
{
    void *buffer = buffer_of(PIECE);
    uint64_t done = 0;
    double start = now();
    for (uint64_t at = 0; now() - start < seconds; at = at + 2 * PIECE > size ? 0 : at + PIECE) {
        if (pread(device, buffer, PIECE, (off_t)at) != PIECE) {
            perror("iobench: pread");
            exit(1);
        }
        done += PIECE;
    }
    free(buffer);
    printf("bench seq %.1f\n", (double)done / (now() - start) / (1 << 20));
}

int main(int count, char **words)
{
    if (count != 3)
        return 2;
    device = open(words[1], O_RDONLY | O_DIRECT);
    seconds = atof(words[2]);
    if (device < 0 || ioctl(device, BLKGETSIZE64, &size) < 0) {
        perror("iobench");
        return 1;
    }
    sequential_reads();
    random_reads(1);
    random_reads(MAX_THREADS);
    return 0;
}
