#define _GNU_SOURCE
#include "colo_shim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int64_t result(int64_t value)
{
    return value < 0 ? -(int64_t)errno : value;
}

int64_t colo_open(const char *path, int32_t flags, int32_t mode)
{
    return result(open(path, flags | O_CLOEXEC, mode));
}

int64_t colo_close(intptr_t fd)
{
    return result(close((int)fd));
}

uint64_t colo_tsc(void)
{
    return __builtin_ia32_rdtsc();
}

int64_t colo_ioctl_int(intptr_t fd, uint64_t request, int64_t argument)
{
    return result(ioctl((int)fd, request, argument));
}

int64_t colo_ioctl_ptr(intptr_t fd, uint64_t request, void *argument)
{
    return result(ioctl((int)fd, request, argument));
}

int64_t colo_vcpu_run(intptr_t vcpu)
{
    return result(ioctl((int)vcpu, KVM_RUN, 0));
}

// The kick: a real-time signal whose handler does nothing. It exists to end KVM_RUN with EINTR; the caller sets
// kvm_run.immediate_exit first, so a kick that lands before KVM_RUN is not lost. SIGRTMIN itself is the .NET runtime's.
static void kick_handler(int signal_number)
{
    (void)signal_number;
}

int64_t colo_kick_signal(void)
{
    return SIGRTMIN + 3;
}

int64_t colo_kick_install(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = kick_handler;
    action.sa_flags = SA_RESTART; // KVM_RUN ends with EINTR all the same; other calls of the thread go on
    sigemptyset(&action.sa_mask);
    return result(sigaction(SIGRTMIN + 3, &action, NULL));
}

int64_t colo_thread_id(void)
{
    return syscall(SYS_gettid);
}

int64_t colo_kick(int64_t thread_id)
{
    return result(syscall(SYS_tgkill, getpid(), (pid_t)thread_id, SIGRTMIN + 3));
}

// linux/sched/types.h declares it too, but not beside every libc's sched.h.
struct scheduling
{
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice_value;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};

int64_t colo_set_scheduling(int64_t thread_id, int32_t nice_value, uint64_t slice_ns)
{
    struct scheduling attributes = {.size = sizeof(attributes), .nice_value = nice_value, .runtime = slice_ns};
    return result(syscall(SYS_sched_setattr, (pid_t)thread_id, &attributes, 0));
}

int64_t colo_set_timer_slack(uint64_t slack_ns)
{
    return result(prctl(PR_SET_TIMERSLACK, slack_ns, 0, 0, 0));
}

int64_t colo_futex_wait(int32_t *word, int32_t expected, int64_t timeout_ns)
{
    struct timespec limit = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    return result(syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout_ns < 0 ? NULL : &limit, NULL, 0));
}

int64_t colo_futex_wake_all(int32_t *word)
{
    return result(syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0));
}

int64_t colo_memfd_create(const char *name, uint64_t size)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0)
        return -(int64_t)errno;
    if (ftruncate(fd, (off_t)size) < 0)
    {
        int64_t error = -(int64_t)errno;
        close(fd);
        return error;
    }
    return fd;
}

int64_t colo_mmap(intptr_t fd, uint64_t length, int32_t writable, int32_t is_private, uint64_t offset)
{
    int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    int flags = (is_private ? MAP_PRIVATE : MAP_SHARED) | MAP_NORESERVE | (fd < 0 ? MAP_ANONYMOUS : 0);
    void *address = mmap(NULL, length, protection, flags, (int)fd, (off_t)offset);
    return address == MAP_FAILED ? -(int64_t)errno : (int64_t)(intptr_t)address;
}

int64_t colo_mmap_fixed_shared(intptr_t fd, void *address, uint64_t length)
{
    void *mapped = mmap(address, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, (int)fd, 0);
    return mapped == MAP_FAILED ? -(int64_t)errno : 0;
}

int64_t colo_munmap(void *address, uint64_t length)
{
    return result(munmap(address, length));
}

int64_t colo_madvise(void *address, uint64_t length, int32_t advice)
{
    return result(madvise(address, length, advice));
}

int64_t colo_seek_data(intptr_t fd, uint64_t offset)
{
    return result(lseek((int)fd, (off_t)offset, SEEK_DATA));
}

int64_t colo_seek_hole(intptr_t fd, uint64_t offset)
{
    return result(lseek((int)fd, (off_t)offset, SEEK_HOLE));
}

int64_t colo_punch_hole(intptr_t fd, uint64_t offset, uint64_t length)
{
    return result(fallocate((int)fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)length));
}

int64_t colo_read(intptr_t fd, void *buffer, uint64_t length)
{
    return result(read((int)fd, buffer, length));
}

int64_t colo_write(intptr_t fd, const void *buffer, uint64_t length)
{
    return result(write((int)fd, buffer, length));
}

int64_t colo_poll(intptr_t fd, int32_t events, int32_t timeout_ms)
{
    struct pollfd entry = { .fd = (int)fd, .events = (short)events };
    int ready = poll(&entry, 1, timeout_ms);
    return ready < 0 ? -(int64_t)errno : ready == 0 ? 0 : entry.revents;
}

int64_t colo_eventfd(uint32_t initial)
{
    return result(eventfd(initial, EFD_CLOEXEC | EFD_NONBLOCK));
}

int64_t colo_dup(intptr_t fd)
{
    return result(fcntl((int)fd, F_DUPFD_CLOEXEC, 0));
}

int64_t colo_terminal_raw(intptr_t fd, void *saved, uint64_t saved_size)
{
    struct termios settings;
    if (saved_size < sizeof settings)
        return -EINVAL;
    if (tcgetattr((int)fd, &settings) < 0)
        return -(int64_t)errno;
    memcpy(saved, &settings, sizeof settings);
    cfmakeraw(&settings);
    settings.c_oflag |= OPOST; // our own messages end in \n; the guest's \r\n passes unchanged
    return result(tcsetattr((int)fd, TCSANOW, &settings));
}

int64_t colo_terminal_restore(intptr_t fd, const void *saved, uint64_t saved_size)
{
    struct termios settings;
    if (saved_size < sizeof settings)
        return -EINVAL;
    memcpy(&settings, saved, sizeof settings);
    return result(tcsetattr((int)fd, TCSANOW, &settings));
}
