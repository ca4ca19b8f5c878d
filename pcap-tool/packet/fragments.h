/* fragments.h - IP fragments until their datagram is whole.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PACKET_FRAGMENTS_H
#define PACKET_FRAGMENTS_H

#include "ip.h"

struct fragment_datagram;

enum {
    FRAGMENT_BUCKETS = 1024,
    FRAGMENT_DATAGRAM_BYTES = 65535, /* what an IPv4 length, or an IPv6 payload's, can say */
};

/* All zero but for the allocator and the seed: empty. */
typedef struct fragment_table {
    const ka_allocator *allocator;
    uint64_t seed;
    struct fragment_datagram *buckets[FRAGMENT_BUCKETS];
    struct fragment_datagram *oldest;
    struct fragment_datagram *newest;
    uint8_t *whole; /* the datagram put together last; room for the longest */
    size_t datagram_count;
    size_t held_bytes;
    uint64_t lost_count; /* fragments given up that carried TCP or a tunnel */
} fragment_table;

void fragments_fini(fragment_table *table);

/* `ip` is a fragment that came in a path. PACKET_TCP: it was the last one missing; *ip is the whole datagram
 * now, in memory that stays until the next call. PACKET_FRAGMENT: it is kept until the others come, or given
 * up; PACKET_OTHER: a copy. */
packet_verdict fragments_add(fragment_table *table, uint16_t path, int64_t time_ns, ip_packet *ip);

/* Fragments of TCP or tunnels that were given up, with those that still wait. */
uint64_t fragments_lost(const fragment_table *table);

#endif
