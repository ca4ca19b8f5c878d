/* ranges.h - a small set of half-open ranges [from, to) of 64-bit numbers, sorted and apart.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_RANGES_H
#define KA_RANGES_H

#include "keptalive.h"

typedef struct ka_range {
    uint64_t from;
    uint64_t to; /* exclusive */
} ka_range;

/* More holes than this in one direction at a time are joined to one: what lies between counts as unseen too.
 * A sender recovering from loss has a handful; a hostile one can not grow the set. */
enum { KA_RANGES_MAX = 64 };

/* NULL is the empty set; allocated on the first add. */
typedef struct ka_ranges {
    uint32_t count;
    ka_range at[KA_RANGES_MAX];
} ka_ranges;

ka_status ka_ranges_add(ka_ranges **set, const ka_allocator *allocator, uint64_t from, uint64_t to);
/* Takes [from, to) out; returns how many numbers of it were in the set. Frees an emptied set. */
uint64_t ka_ranges_remove(ka_ranges **set, const ka_allocator *allocator, uint64_t from, uint64_t to);
bool ka_ranges_overlap(const ka_ranges *set, uint64_t from, uint64_t to);
uint64_t ka_ranges_total(const ka_ranges *set);
void ka_ranges_free(ka_ranges **set, const ka_allocator *allocator);

#endif
