/* damage.c - bytes of one direction that the capture does not hold.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "damage.h"

/* Bytes that fill a hole later than this were sent again: reordering in a network takes less. */
#define REORDER_NS (3 * KA_MILLISECOND_NS)

ka_status ka_damage_add(ka_damage *damage, const ka_allocator *allocator, bool acknowledged, uint64_t from,
                        uint64_t to, int64_t now_ns)
{
    damage->noticed_ns = now_ns;
    return ka_ranges_add(acknowledged ? &damage->missed : &damage->holes, allocator, from, to);
}

ka_status ka_damage_acked(ka_damage *damage, const ka_allocator *allocator, uint64_t ack)
{
    for (uint32_t i = 0; damage->holes != NULL && i < damage->holes->count; i++) {
        ka_range hole = damage->holes->at[i];
        uint64_t to = hole.to < ack ? hole.to : ack;
        if (hole.from < to && ka_ranges_add(&damage->missed, allocator, hole.from, to) != KA_OK)
            return KA_NO_MEMORY;
    }
    ka_ranges_remove(&damage->holes, allocator, 0, ack);
    return KA_OK;
}

bool ka_damage_fill(ka_damage *damage, const ka_allocator *allocator, uint64_t from, uint64_t to,
                    int64_t now_ns)
{
    uint64_t filled = ka_ranges_remove(&damage->holes, allocator, from, to);
    filled += ka_ranges_remove(&damage->missed, allocator, from, to);
    if (filled > 0 && now_ns - damage->noticed_ns > REORDER_NS) {
        damage->late_from = from;
        damage->late_to = to;
    }
    return filled > 0;
}

bool ka_damage_overlaps(const ka_damage *damage, uint64_t from, uint64_t to)
{
    return ka_ranges_overlap(damage->missed, from, to) || ka_ranges_overlap(damage->holes, from, to);
}

bool ka_damage_is_late(const ka_damage *damage, uint64_t seq)
{
    return seq >= damage->late_from && seq < damage->late_to;
}

void ka_damage_fini(ka_damage *damage, const ka_allocator *allocator)
{
    ka_ranges_free(&damage->holes, allocator);
    ka_ranges_free(&damage->missed, allocator);
}
