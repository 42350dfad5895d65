// Entry points of libcolo_shim: what managed code cannot do safely or fast. Thin, stateless but for one signal
// handler, no policy. Every function that can fail returns its result or -errno; nothing is printed, nothing aborts.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define COLO_EXPORT __attribute__((visibility("default")))

COLO_EXPORT int64_t colo_open(const char *path, int32_t flags, int32_t mode);
COLO_EXPORT int64_t colo_close(intptr_t fd);
COLO_EXPORT uint64_t colo_tsc(void);
COLO_EXPORT int64_t colo_ioctl_int(intptr_t fd, uint64_t request, int64_t argument);
COLO_EXPORT int64_t colo_ioctl_ptr(intptr_t fd, uint64_t request, void *argument);
COLO_EXPORT int64_t colo_vcpu_run(intptr_t vcpu);

COLO_EXPORT int64_t colo_kick_install(void);
COLO_EXPORT int64_t colo_kick_signal(void);
COLO_EXPORT int64_t colo_thread_id(void);
COLO_EXPORT int64_t colo_kick(int64_t thread_id);

// A nice value and, where the kernel knows it (6.12), the length of a time slice in nanoseconds; 0 leaves the slice to the kernel.
COLO_EXPORT int64_t colo_set_scheduling(int64_t thread_id, int32_t nice_value, uint64_t slice_ns);

// How late timers of the calling thread may be.
COLO_EXPORT int64_t colo_set_timer_slack(uint64_t slack_ns);

// A private futex. The wait ends with 0 when woken, -EAGAIN when the value is another, -ETIMEDOUT, -EINTR.
COLO_EXPORT int64_t colo_futex_wait(int32_t *word, int32_t expected, int64_t timeout_ns);
COLO_EXPORT int64_t colo_futex_wake_all(int32_t *word);

COLO_EXPORT int64_t colo_memfd_create(const char *name, uint64_t size);
COLO_EXPORT int64_t colo_mmap(intptr_t fd, uint64_t length, int32_t writable, int32_t is_private, uint64_t offset);
COLO_EXPORT int64_t colo_mmap_fixed_shared(intptr_t fd, void *address, uint64_t length);
COLO_EXPORT int64_t colo_munmap(void *address, uint64_t length);
COLO_EXPORT int64_t colo_madvise(void *address, uint64_t length, int32_t advice);
COLO_EXPORT int64_t colo_seek_data(intptr_t fd, uint64_t offset);
COLO_EXPORT int64_t colo_seek_hole(intptr_t fd, uint64_t offset);
COLO_EXPORT int64_t colo_punch_hole(intptr_t fd, uint64_t offset, uint64_t length);

COLO_EXPORT int64_t colo_read(intptr_t fd, void *buffer, uint64_t length);
COLO_EXPORT int64_t colo_write(intptr_t fd, const void *buffer, uint64_t length);
COLO_EXPORT int64_t colo_poll(intptr_t fd, int32_t events, int32_t timeout_ms);
COLO_EXPORT int64_t colo_eventfd(uint32_t initial);
COLO_EXPORT int64_t colo_dup(intptr_t fd);

COLO_EXPORT int64_t colo_terminal_raw(intptr_t fd, void *saved, uint64_t saved_size);
COLO_EXPORT int64_t colo_terminal_restore(intptr_t fd, const void *saved, uint64_t saved_size);
