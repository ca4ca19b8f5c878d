/* damage.h - bytes of one direction that the capture does not hold, or holds only as sent again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_DAMAGE_H
#define KA_DAMAGE_H

#include "keptalive.h"
#include "ranges.h"

/* What was not seen of one direction. Zeroed: nothing was missing. */
typedef struct ka_damage {
    ka_ranges *holes;   /* not seen, not acknowledged */
    ka_ranges *missed;  /* not seen, but acknowledged: the capture missed them */
    uint64_t late_from; /* bytes whose first transmission was not captured, the newest such range */
    uint64_t late_to;
    int64_t noticed_ns; /* the newest hole */
} ka_damage;

/* Bytes [from, to) were skipped, or acknowledged without having been seen. */
ka_status ka_damage_add(ka_damage *damage, const ka_allocator *allocator, bool acknowledged, uint64_t from,
                        uint64_t to, int64_t now_ns);
/* Holes below `ack` were received, only not captured. */
ka_status ka_damage_acked(ka_damage *damage, const ka_allocator *allocator, uint64_t ack);
/* [from, to) was captured; true when part of it had been unseen. */
bool ka_damage_fill(ka_damage *damage, const ka_allocator *allocator, uint64_t from, uint64_t to,
                    int64_t now_ns);
/* Bytes of [from, to) that the capture does not hold. */
bool ka_damage_overlaps(const ka_damage *damage, uint64_t from, uint64_t to);
/* The byte at seq was captured only as a retransmission. */
bool ka_damage_is_late(const ka_damage *damage, uint64_t seq);
void ka_damage_fini(ka_damage *damage, const ka_allocator *allocator);

#endif
