// Entry points of libcolo_shim for files, disks, the event loop and tap interfaces. The rules of colo_shim.h hold:
// every function that can fail returns its result or -errno, nothing is printed, nothing aborts.
#pragma once
#include "colo_shim.h"

COLO_EXPORT int64_t colo_epoll_create(void);
COLO_EXPORT int64_t colo_epoll_ctl(intptr_t epoll, int32_t operation, intptr_t fd, uint32_t events, uint64_t data);
COLO_EXPORT int64_t colo_epoll_wait(intptr_t epoll, void *events, int32_t max_events, int32_t timeout_ms);

COLO_EXPORT int64_t colo_preadv(intptr_t fd, const void *vectors, int32_t count, uint64_t offset, int32_t flags);
COLO_EXPORT int64_t colo_pwritev(intptr_t fd, const void *vectors, int32_t count, uint64_t offset, int32_t flags);
COLO_EXPORT int64_t colo_fdatasync(intptr_t fd);
COLO_EXPORT int64_t colo_fallocate(intptr_t fd, int32_t mode, uint64_t offset, uint64_t length);
// Takes an open-file-description lock on the whole file; -EAGAIN when another holder is in the way.
COLO_EXPORT int64_t colo_lock_file(intptr_t fd, int32_t exclusive);
// kind: 1 regular file, 2 block device, 0 anything else; size in bytes (of the device for a block device).
COLO_EXPORT int64_t colo_file_info(intptr_t fd, int32_t *kind, uint64_t *size);
COLO_EXPORT int64_t colo_getrandom(void *buffer, uint64_t length);

// name: 16 bytes, a NUL-terminated wish (empty: the kernel picks) that becomes the interface's real name.
COLO_EXPORT int64_t colo_tap_attach(intptr_t fd, char *name);
COLO_EXPORT int64_t colo_tap_set_header_size(intptr_t fd, int32_t bytes);
COLO_EXPORT int64_t colo_tap_set_offload(intptr_t fd, uint32_t flags);
// 1 when an interface of that name exists in this network namespace, else 0.
COLO_EXPORT int64_t colo_interface_exists(const char *name);
