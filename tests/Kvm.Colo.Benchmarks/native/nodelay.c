/* Preloaded into QEMU: TCP_NODELAY on every TCP socket it opens or accepts, so that its COLO channel is measured without delayed
 * acknowledgements. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static int hurry(int fd)
{
    int on = 1;

    /* Fails on what is no TCP socket, which is then none of ours. */
    if (fd >= 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

int socket(int domain, int type, int protocol)
{
    static int (*real)(int, int, int);

    if (!real)
        real = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
    int fd = real(domain, type, protocol);
    return domain == AF_INET || domain == AF_INET6 ? hurry(fd) : fd;
}

int accept(int listener, struct sockaddr *address, socklen_t *length)
{
    static int (*real)(int, struct sockaddr *, socklen_t *);

    if (!real)
        real = (int (*)(int, struct sockaddr *, socklen_t *))dlsym(RTLD_NEXT, "accept");
    return hurry(real(listener, address, length));
}

int accept4(int listener, struct sockaddr *address, socklen_t *length, int flags)
{
    static int (*real)(int, struct sockaddr *, socklen_t *, int);

    if (!real)
        real = (int (*)(int, struct sockaddr *, socklen_t *, int))dlsym(RTLD_NEXT, "accept4");
    return hurry(real(listener, address, length, flags));
}
