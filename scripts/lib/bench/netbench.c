/* A TCP transfer as iperf does it, in blocks of 128 KiB. On the host: netbench serve PORT takes what comes and, on the port after it, sends
 * without end. In the guest, for some seconds each way:
 *   netbench ADDRESS PORT SECONDS -> "bench net-out MIB_PER_S", "bench net-in MIB_PER_S"
 * Outward only what the other side's kernel has acknowledged counts. */
#include <arpa/inet.h>
#include <err.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 128 << 10 };

typedef ssize_t transfer(int, void *, size_t);

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static ssize_t put(int peer, void *block, size_t bytes)
{
    return write(peer, block, bytes);
}

/* Until the peer has gone, or for some seconds; returns the bytes. */
static uint64_t pump(int peer, transfer *step, double seconds)
{
    uint8_t *block = calloc(1, BLOCK);
    uint64_t sum = 0;
    double end = now() + seconds;
    ssize_t done;
    while (now() < end && (done = step(peer, block, BLOCK)) > 0)
        sum += (uint64_t)done;
    free(block);
    return sum;
}

struct service {
    int listener;
    transfer *step;
};

static void *serve(void *argument)
{
    struct service *service = argument;
    int peer;
    while ((peer = accept(service->listener, NULL, NULL)) >= 0) {
        pump(peer, service->step, 3600);
        close(peer);
    }
    return NULL;
}

static struct sockaddr_in address_of(const char *address, int port)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    if (inet_pton(AF_INET, address, &name.sin_addr) != 1)
        errx(2, "no address: %s", address);
    return name;
}

static struct service listen_at(int port, transfer *step)
{
    struct sockaddr_in name = address_of("0.0.0.0", port);
    struct service service = { socket(AF_INET, SOCK_STREAM, 0), step };
    int yes = 1;
    setsockopt(service.listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(service.listener, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(service.listener, 1) < 0)
        err(1, "port %d", port);
    return service;
}

static int connect_to(const char *address, int port)
{
    struct sockaddr_in name = address_of(address, port);
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(peer, (struct sockaddr *)&name, sizeof(name)) < 0)
        err(1, "%s port %d", address, port);
    return peer;
}

static void measure(const char *what, int peer, transfer *step, double seconds)
{
    double start = now();
    uint64_t sum = pump(peer, step, seconds);
    double passed = now() - start;
    int waiting = 0;
    if (step == put)
        ioctl(peer, SIOCOUTQ, &waiting);
    close(peer);
    if (passed < seconds)
        printf("bench %s-failed after %.1f\n", what, passed);
    else
        printf("bench %s %.1f\n", what, (double)(sum - (uint64_t)waiting) / passed / (1 << 20));
    fflush(stdout);
}

int main(int count, char **words)
{
    signal(SIGPIPE, SIG_IGN);
    if (count == 3 && strcmp(words[1], "serve") == 0) {
        struct service sink = listen_at(atoi(words[2]), read), source = listen_at(atoi(words[2]) + 1, put);
        pthread_t other;
        if (pthread_create(&other, NULL, serve, &source) != 0)
            return 1;
        serve(&sink);
        return 1;
    }
    if (count != 4)
        return 2;
    measure("net-out", connect_to(words[1], atoi(words[2])), put, atof(words[3]));
    measure("net-in", connect_to(words[1], atoi(words[2]) + 1), read, atof(words[3]));
    return 0;
}
