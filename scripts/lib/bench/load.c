/* The load of the Linux guest, and its own watch on the time it loses; says what images/guests/dirty.c says.
 *   load [pages=N] [tick=MS] [report=MS] [fill=1] [random=1] [gap-min=US]
 * Rewrites a word (or with fill the whole) of each of N pages every tick, the same on both sides unless random, and looks at the TSC all
 * the time: Linux's own clocks are set back by what a VMM does to the paravirtual clock in a pause. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

enum { PAGE = 4096, BUCKETS = 160 };

static uint64_t khz, gap_floor, last, worst, count, buckets[BUCKETS];

/* Four buckets per octave of TSC ticks: the lower bound of bucket b is (4 + b % 4) << (b / 4 - 2). */
static uint64_t look(void)
{
    uint64_t now = __rdtsc(), gap = now - last;
    if (now > last && gap >= gap_floor) {
        unsigned octave = 63 - (unsigned)__builtin_clzl(gap), bucket = octave * 4 + (unsigned)(gap >> (octave - 2) & 3);
        buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
        count++;
        if (gap > worst)
            worst = gap;
    }
    return last = now;
}

static double nanoseconds(uint64_t ticks) { return (double)ticks * 1e6 / (double)khz; }

static uint64_t measure_khz(void)
{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC_RAW, &from);
    uint64_t begun = __rdtsc(), passed;
    do {
        clock_gettime(CLOCK_MONOTONIC_RAW, &to);
        passed = (uint64_t)(to.tv_sec - from.tv_sec) * 1000000000u + (uint64_t)to.tv_nsec - (uint64_t)from.tv_nsec;
    } while (passed < 500000000u);
    return (__rdtsc() - begun) * 1000000u / passed;
}

static void say(const char *text, size_t length)
{
    for (ssize_t done; length > 0; text += done, length -= (size_t)done)
        if ((done = write(STDOUT_FILENO, text, length)) <= 0)
            exit(1);
}

/* One write, so that a line of the kernel's does not come between. */
static void report(uint64_t pass, uint64_t total, uint64_t began)
{
    char text[4096];
    size_t used = (size_t)snprintf(text, sizeof text, "dirty pass %lu pages %lu t=%.0f\ndirty gap-us %.1f ticks %lu count %lu tsc-khz %lu\ndirty gaps-ns",
        pass, total, nanoseconds(last - began) / 1e6, nanoseconds(worst) / 1e3, worst, count, khz);
    for (unsigned b = 8; b < BUCKETS && used < sizeof text - 64; b++) {
        if (buckets[b] != 0)
            used += (size_t)snprintf(text + used, sizeof text - used, " %.0f:%lu", nanoseconds((4ul + b % 4) << (b / 4 - 2)), buckets[b]);
        buckets[b] = 0;
    }
    text[used++] = '\n';
    say(text, used);
    worst = count = 0;
    last = __rdtsc();
}

static uint64_t option(int words, char **word, const char *name, uint64_t fallback)
{
    size_t length = strlen(name);
    for (int i = 1; i < words; i++)
        if (strncmp(word[i], name, length) == 0 && word[i][length] == '=')
            return strtoull(word[i] + length + 1, NULL, 10);
    return fallback;
}

int main(int words, char **word)
{
    uint64_t pages = option(words, word, "pages", 100), tick = option(words, word, "tick", 100), every = option(words, word, "report", 1000);
    int fill = option(words, word, "fill", 0) != 0, random = option(words, word, "random", 0) != 0;
    uint64_t least = option(words, word, "gap-min", 20);
    if (pages == 0 || pages > 1u << 20 || every == 0 || least == 0)
        return 2;
    char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || madvise(memory, pages * PAGE, MADV_NOHUGEPAGE) < 0)
        return 1;
    memset(memory, 1, pages * PAGE);
    khz = measure_khz();
    gap_floor = least * khz / 1000;
    printf("dirty start pages=%lu tick=%lu tsc-khz %lu\n", pages, tick, khz);
    fflush(stdout);

    uint64_t began = last = __rdtsc(), next_report = began + every * khz, total = 0;
    for (uint64_t pass = 1;; pass++) {
        for (uint64_t i = 0; i < pages; i++) {
            uint64_t now = look(), value = (random ? now : pass) * 0x9E3779B97F4A7C15ull ^ i, *page = (uint64_t *)(memory + i * PAGE);
            for (unsigned at = 0; at < (fill ? PAGE / 8 : 1); at++) {
                ((volatile uint64_t *)page)[at] = value;
                value = value * 6364136223846793005ull + 1442695040888963407ull;
            }
        }
        total += pages;
        while (look() - began < pass * tick * khz && last < next_report)
            ;
        if (last >= next_report) {
            report(pass, total, began);
            next_report = last + every * khz;
        }
        while (look() - began < pass * tick * khz)
            ;
    }
}
