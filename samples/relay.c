/* relay.c - a wire between two TAP devices: delay, and optionally loss and reordering with a fixed seed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * usage: relay TAP_A TAP_B DELAY_US [LOSS_PERMILLE REORDER_PERMILLE SEED]
 *
 * Creates both devices, prints "ready" and forwards Ethernet frames until it is killed. The devices may be
 * moved into network namespaces meanwhile: they stay attached. Only TCP over IPv4 is ever lost or reordered,
 * so that address resolution does not disturb a sample. Kernels with netem do not need it; not every kernel
 * has netem.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    FRAME_BYTES = 2048,     /* an Ethernet frame of MTU 1500 with VLAN tags fits */
    QUEUE_FRAMES = 1024,    /* 1.5 MB under way: more than any sample sends in one delay */
    REORDER_EXTRA_US = 4000 /* long enough for the next segments of a burst to overtake */
};

static const int64_t SECOND_NS = 1000000000;
static const int64_t MICROSECOND_NS = 1000;

struct frame {
    int64_t due_ns;
    size_t len_bytes;
    unsigned char bytes[FRAME_BYTES];
};

/* One direction of the wire: frames under way, ordered by the time they are due. */
struct lane {
    int from, to;
    uint64_t random;
    size_t count;
    struct frame *order[QUEUE_FRAMES];
    struct frame frames[QUEUE_FRAMES];
};

struct weather {
    int64_t delay_ns;
    unsigned loss_permille;
    unsigned reorder_permille;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int open_tap(const char *name)
{
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        die("/dev/net/tun");
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (ioctl(fd, TUNSETIFF, &request) < 0)
        die(name);
    return fd;
}

/* xorshift64: the same seed gives the same weather to the n-th segment of a direction. */
static bool chance(struct lane *lane, unsigned permille)
{
    lane->random ^= lane->random << 13;
    lane->random ^= lane->random >> 7;
    lane->random ^= lane->random << 17;
    return (lane->random >> 33) % 1000 < permille;
}

static bool is_tcp(const struct frame *frame)
{
    return frame->len_bytes >= 34 && frame->bytes[12] == 0x08 && frame->bytes[13] == 0x00 &&
           frame->bytes[23] == 6;
}

static void lane_init(struct lane *lane, int from, int to, uint64_t seed)
{
    lane->from = from;
    lane->to = to;
    lane->random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    lane->count = 0;
    for (size_t i = 0; i < QUEUE_FRAMES; i++)
        lane->order[i] = &lane->frames[i];
}

/* order[count] is the first unused frame and has just been filled: move it to its place by due time. */
static void enqueue(struct lane *lane)
{
    struct frame *arrived = lane->order[lane->count];
    size_t at = lane->count++;
    for (; at > 0 && lane->order[at - 1]->due_ns > arrived->due_ns; at--)
        lane->order[at] = lane->order[at - 1];
    lane->order[at] = arrived;
}

static void take_in(struct lane *lane, const struct weather *conditions)
{
    while (lane->count < QUEUE_FRAMES) {
        struct frame *arriving = lane->order[lane->count];
        ssize_t len_bytes = read(lane->from, arriving->bytes, sizeof arriving->bytes);
        if (len_bytes <= 0)
            return; /* nothing waiting, or the device is not up yet */
        arriving->len_bytes = (size_t)len_bytes;
        arriving->due_ns = now_ns() + conditions->delay_ns;
        if (is_tcp(arriving)) {
            if (chance(lane, conditions->loss_permille))
                continue;
            if (chance(lane, conditions->reorder_permille))
                arriving->due_ns += REORDER_EXTRA_US * MICROSECOND_NS;
        }
        enqueue(lane);
    }
}

static void let_out(struct lane *lane)
{
    size_t out = 0;
    int64_t now = now_ns();
    struct frame *sent[QUEUE_FRAMES];
    for (; out < lane->count && lane->order[out]->due_ns <= now; out++) {
        sent[out] = lane->order[out];
        if (write(lane->to, sent[out]->bytes, sent[out]->len_bytes) < 0 && errno != EIO && errno != EAGAIN)
            die("write");
    }
    lane->count -= out;
    memmove(lane->order, lane->order + out, lane->count * sizeof *lane->order);
    memcpy(lane->order + lane->count, sent, out * sizeof *sent); /* unused again */
}

static void wait_for_work(struct lane lanes[2])
{
    struct pollfd fds[2];
    int64_t due_ns = INT64_MAX;
    for (int i = 0; i < 2; i++) {
        fds[i] = (struct pollfd){.fd = lanes[i].from, .events = POLLIN};
        if (lanes[i].count > 0 && lanes[i].order[0]->due_ns < due_ns)
            due_ns = lanes[i].order[0]->due_ns;
    }
    int64_t wait_ns = due_ns == INT64_MAX ? SECOND_NS : due_ns - now_ns();
    if (wait_ns < 0)
        wait_ns = 0;
    struct timespec timeout = {.tv_sec = wait_ns / SECOND_NS, .tv_nsec = wait_ns % SECOND_NS};
    ppoll(fds, 2, &timeout, NULL);
}

int main(int argc, char **argv)
{
    static struct lane lanes[2];
    if (argc != 4 && argc != 7) {
        fprintf(stderr, "usage: relay TAP_A TAP_B DELAY_US [LOSS_PERMILLE REORDER_PERMILLE SEED]\n");
        return 2;
    }
    struct weather weather = {.delay_ns = atoll(argv[3]) * MICROSECOND_NS};
    uint64_t seed = 1;
    if (argc == 7) {
        weather.loss_permille = (unsigned)atoi(argv[4]);
        weather.reorder_permille = (unsigned)atoi(argv[5]);
        seed = strtoull(argv[6], NULL, 10);
    }
    int a = open_tap(argv[1]), b = open_tap(argv[2]);
    lane_init(&lanes[0], a, b, seed);
    lane_init(&lanes[1], b, a, seed + 1);
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        wait_for_work(lanes);
        for (int i = 0; i < 2; i++) {
            take_in(&lanes[i], &weather);
            let_out(&lanes[i]);
        }
    }
}
