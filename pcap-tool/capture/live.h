/* live.h - packets of network interfaces, as they come.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CAPTURE_LIVE_H
#define CAPTURE_LIVE_H

#include "capture.h"
#include "problems.h"
#include "ring.h"

#include <pcap/pcap.h>

/* How late the kernel may hand over a packet: it wakes the reader when a block of its buffer is full, or
 * then. */
enum { LIVE_BATCH_MS = 100 };

typedef struct live_interface {
    const char *name;
    pcap_t *pcap; /* NULL: it has ended */
    int link_type;
    bool has_nanoseconds;
    struct pcap_pkthdr *header; /* of the packet that is ready; NULL: none */
    const uint8_t *bytes;
    int64_t time_ns;
    int drop_files[2]; /* counters of the interface itself; below 0: it has none */
    uint64_t drops_before;
    uint64_t dropped; /* by the kernel, once it has ended */
} live_interface;

typedef struct live {
    live_interface *interfaces;
    size_t count;
    ring ring;
    int64_t end_ns; /* by the monotonic clock; INT64_MAX: not known yet */
    bool waits;     /* nothing was ready the last time */
} live;

typedef enum live_status {
    LIVE_PACKET,
    LIVE_QUIET, /* nothing is ready; the next call waits */
    LIVE_END,
} live_status;

/* Opens all interfaces, for capture_open_live. NULL with an error and why. */
live *live_new(const capture_live_options *options, char error[CAPTURE_ERROR_BYTES], capture_failure *why);
void live_free(live *self);

/* The earliest packet that is ready on any of them. A problem of one of them is told, and the others go on.
 * The frame is the caller's to number, before live_keep. */
live_status live_next(live *self, capture_packet *out, problem_list *problems);

/* Writes the packet to the ring, if there is one. */
void live_keep(live *self, const capture_packet *packet, problem_list *problems);

bool live_find(const live *self, uint64_t frame, const char **file, uint64_t *file_frame);

/* Until when all packets were handed out, as far as can be known. */
int64_t live_time_ns(void);

int64_t live_tick_ns(const live *self);

/* Packets lost in this capture's buffers, and before them, at the interfaces. */
void live_drops(const live *self, uint64_t *by_kernel, uint64_t *by_interface);

#endif
