#define _GNU_SOURCE
#include "colo_io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

// The managed side lays an event out as 32 bits of flags and 64 bits of data, packed.
_Static_assert(sizeof(struct epoll_event) == 12, "epoll_event is packed on x86-64");

static int64_t result(int64_t value)
{
    return value < 0 ? -(int64_t)errno : value;
}

int64_t colo_epoll_create(void)
{
    return result(epoll_create1(EPOLL_CLOEXEC));
}

int64_t colo_epoll_ctl(intptr_t epoll, int32_t operation, intptr_t fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = { .events = events, .data.u64 = data };
    return result(epoll_ctl((int)epoll, operation, (int)fd, &event));
}

int64_t colo_epoll_wait(intptr_t epoll, void *events, int32_t max_events, int32_t timeout_ms)
{
    return result(epoll_wait((int)epoll, events, max_events, timeout_ms));
}

int64_t colo_preadv(intptr_t fd, const void *vectors, int32_t count, uint64_t offset, int32_t flags)
{
    return result(preadv2((int)fd, vectors, count, (off_t)offset, flags));
}

int64_t colo_pwritev(intptr_t fd, const void *vectors, int32_t count, uint64_t offset, int32_t flags)
{
    return result(pwritev2((int)fd, vectors, count, (off_t)offset, flags));
}

int64_t colo_fdatasync(intptr_t fd)
{
    return result(fdatasync((int)fd));
}

int64_t colo_fallocate(intptr_t fd, int32_t mode, uint64_t offset, uint64_t length)
{
    return result(fallocate((int)fd, mode, (off_t)offset, (off_t)length));
}

int64_t colo_lock_file(intptr_t fd, int32_t exclusive)
{
    struct flock lock;
    memset(&lock, 0, sizeof lock);
    lock.l_type = exclusive ? F_WRLCK : F_RDLCK;
    lock.l_whence = SEEK_SET;
    int64_t answer = result(fcntl((int)fd, F_OFD_SETLK, &lock));
    return answer == -EACCES ? -EAGAIN : answer;
}

int64_t colo_file_info(intptr_t fd, int32_t *kind, uint64_t *size)
{
    struct stat status;
    if (fstat((int)fd, &status) < 0)
        return -(int64_t)errno;
    *kind = S_ISREG(status.st_mode) ? 1 : S_ISBLK(status.st_mode) ? 2 : 0;
    *size = (uint64_t)status.st_size;
    if (*kind == 2)
        return result(ioctl((int)fd, BLKGETSIZE64, size));
    return 0;
}

int64_t colo_getrandom(void *buffer, uint64_t length)
{
    return result(getrandom(buffer, length, 0));
}

int64_t colo_tap_attach(intptr_t fd, char *name)
{
    struct ifreq request;
    memset(&request, 0, sizeof request);
    memcpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    if (ioctl((int)fd, TUNSETIFF, &request) < 0)
        return -(int64_t)errno;
    memcpy(name, request.ifr_name, IFNAMSIZ);
    return 0;
}

int64_t colo_tap_set_header_size(intptr_t fd, int32_t bytes)
{
    return result(ioctl((int)fd, TUNSETVNETHDRSZ, &bytes));
}

int64_t colo_tap_set_offload(intptr_t fd, uint32_t flags)
{
    return result(ioctl((int)fd, TUNSETOFFLOAD, (unsigned long)flags));
}

int64_t colo_interface_exists(const char *name)
{
    return if_nametoindex(name) != 0;
}
