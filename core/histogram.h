/* histogram.h - quantiles of many numbers in little memory: durations in nanoseconds, or counts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Log-linear buckets: values below 2048 have one each; from there on every power of two is cut into 1024
 * equal buckets, so a bucket is at most 1/1024 of its values wide and its middle at most 1/2048 (0.05 %)
 * away from any of them. Only buckets that hold something are stored. The result does not depend on the
 * order of adding or merging.
 */
#ifndef KA_HISTOGRAM_H
#define KA_HISTOGRAM_H

#include "keptalive.h"

/* A limit of buckets makes it coarser instead of larger. When one too many is needed (of a rough one
 * sooner), from the smallest to
 * the largest value all have buckets, of twice the width until they are no more than the limit: with 512,
 * values that spread over ten octaves stand in buckets of 1/32 of an octave. Then a bucket is found without a
 * search, too. The result still does not depend on the order: it is as coarse as the values need. */

/* Numbers below 2^63 have their highest bit at 62 at most: 2048 exact buckets and 1024 for each of the bits
 * 11 to 62. At 8 bytes each a histogram never needs more than 432 KiB (twice that for a moment while it
 * grows), and a real one a few hundred bytes. */
enum { KA_HISTOGRAM_BUCKETS_MAX = 2048 + (62 - 11 + 1) * 1024 };

typedef struct ka_histogram_bucket {
    uint32_t index;
    uint32_t count; /* stays at its largest value */
} ka_histogram_bucket;

/* Owns `buckets`; the allocator must outlive it. */
typedef struct ka_histogram {
    const ka_allocator *allocator;
    ka_histogram_bucket *buckets; /* by ascending index; no count is 0, unless `dense` */
    uint32_t bucket_count;
    uint32_t bucket_room;
    uint32_t bucket_limit; /* 0: none */
    uint32_t exact_limit;  /* so many different values before it becomes coarser */
    uint32_t coarse;       /* an index stands for 2^coarse buckets */
    bool dense;            /* beyond the limit: each index follows the one before */
    uint64_t count;
    int64_t smallest; /* exact; KA_NONE when empty */
    int64_t largest;  /* likewise */
} ka_histogram;

void ka_histogram_init(ka_histogram *histogram, const ka_allocator *allocator);
/* Likewise, with at most so many buckets. */
void ka_histogram_init_limited(ka_histogram *histogram, const ka_allocator *allocator, uint32_t bucket_limit);
/* Likewise, and coarser after some dozens of different values already: for what is counted often. */
void ka_histogram_init_rough(ka_histogram *histogram, const ka_allocator *allocator, uint32_t bucket_limit);
/* Frees the buckets and leaves it empty, as after init. */
void ka_histogram_fini(ka_histogram *histogram);

/* KA_MISUSE for a negative value (so also for KA_NONE). */
ka_status ka_histogram_add(ka_histogram *histogram, int64_t value);
/* As if every value added to `from` had been added to `into`. Their allocators may differ. */
ka_status ka_histogram_merge(ka_histogram *into, const ka_histogram *from);

/* How many values were added. */
uint64_t ka_histogram_count(const ka_histogram *histogram);
/* The smallest value that at least `percent` % (1 to 100) of all values do not exceed (nearest rank, no
 * interpolation): the middle of its bucket, yet never outside smallest to largest. 100 is the largest
 * itself. KA_NONE when empty. */
int64_t ka_histogram_quantile(const ka_histogram *histogram, unsigned percent);

/* How many values are not below that one, to the width of a bucket: of the one it lies in, all. */
uint64_t ka_histogram_at_least(const ka_histogram *histogram, int64_t value);
/* For walks with ascending values: moves *at (0 at first) on to the first bucket whose values are not all
 * below that one, and returns how many values it passed. */
uint64_t ka_histogram_pass(const ka_histogram *histogram, int64_t value, uint32_t *at);
/* What stands for the values of buckets[at]: its middle, yet never outside smallest to largest. */
int64_t ka_histogram_value(const ka_histogram *histogram, uint32_t at);

#endif
