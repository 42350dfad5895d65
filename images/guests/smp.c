/* Every vCPU works in ring 3; shared counters and a lock show that they see one memory. */
#include "guest.h"

static u64 rounds;
static bool endless;
static volatile u32 lock, started, finished;
static volatile u64 shared, guarded;
static struct {
    volatile u64 done;
    u64 pad[7];
} progress[MAX_CPUS] __attribute__((aligned(64)));

static void work(u32 index)
{
    u64 hash = index;
    __sync_fetch_and_add(&started, 1);
    for (u64 n = 1; endless || n <= rounds; n++) {
        hash = mix(hash + n);
        progress[index].done = n;
        if (n % 64 == 0) {
            __sync_fetch_and_add(&shared, 64);
            while (__sync_lock_test_and_set(&lock, 1))
                cpu_relax();
            guarded += 64;
            __sync_lock_release(&lock);
        }
        if (endless && index == 0 && n % 4096 == 0 && clock_ms() >= 1000 * rounds)
            return;
    }
    if (endless)
        return;
    print("smp cpu %u done %lu hash %016lx\n", index, rounds, hash);
    __sync_fetch_and_add(&finished, 1);
}

/* The first CPU works with the others and stops once a second to report. */
static void work_for_ever(u32 cpus)
{
    static u64 before[MAX_CPUS];
    for (rounds = clock_ms() / 1000 + 1;; rounds++) {
        char line[MAX_CPUS * 16];
        u32 used = 0, stalled = 0;
        work(0);
        line[0] = 0;
        for (u32 i = 0; i < cpus; i++) {
            u64 now = progress[i].done, delta = i ? now - before[i] : now;
            stalled += delta == 0;
            before[i] = now;
            used += format(line + used, (u32)sizeof line - used, " %lu", delta);
        }
        print("smp loop %lu stalled %u:%s\n", rounds, stalled, line);
    }
}

u32 guest_main(void)
{
    endless = option("loop", 0);
    rounds = option_in("n", 1000000, 64, 1ul << 40) & ~63ul;
    print("smp start\n");
    clock_start(10);
    u32 cpus = cpus_start(work);
    print("smp cpus %u\n", cpus);
    if (endless)
        work_for_ever(cpus);
    work(0);
    while (finished < cpus)
        cpu_relax();
    if (shared != rounds * cpus || guarded != shared) {
        print("smp FAILED: atomic %lu locked %lu want %lu\n", shared, guarded, rounds * cpus);
        return 1;
    }
    print("smp ok %u\n", cpus);
    return (u32)option_in("exit", 0, 0, 127);
}
