/* histogram.c - quantiles of many numbers in little memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "histogram.h"

#include <string.h>

enum {
    EXACT_VALUES = 2048,        /* below, a bucket is one value */
    BUCKETS_PER_OCTAVE = 1024,  /* half of EXACT_VALUES: the top half of the exact range, scaled up */
    EXACT_BITS_ABOVE = 64 - 11, /* leading zeros of the largest exact value */
    EXACT_BUCKETS = 64,         /* of a rough one: as many as are found in six steps */
    FIRST_ROOM = 8,             /* most servers close idle connections at one or two ages */
};

/* value = mantissa << shift with 1024 <= mantissa < 2048, so indexes of one shift follow those of the last.
 */
static uint32_t index_of(int64_t value)
{
    if (value < EXACT_VALUES)
        return (uint32_t)value;
    uint32_t shift = EXACT_BITS_ABOVE - (uint32_t)__builtin_clzll((uint64_t)value);
    return shift * BUCKETS_PER_OCTAVE + (uint32_t)(value >> shift);
}

static int64_t lowest_of(uint32_t index)
{
    if (index < EXACT_VALUES)
        return index;
    uint32_t shift = index / BUCKETS_PER_OCTAVE - 1;
    return (int64_t)(index % BUCKETS_PER_OCTAVE + BUCKETS_PER_OCTAVE) << shift;
}

static int64_t highest_of(uint32_t index)
{
    uint32_t shift = index < EXACT_VALUES ? 0 : index / BUCKETS_PER_OCTAVE - 1;
    return lowest_of(index) + ((INT64_C(1) << shift) - 1);
}

static int64_t middle_of(const ka_histogram *histogram, uint32_t index)
{
    int64_t lowest = lowest_of(index << histogram->coarse);
    uint32_t last = ((index + 1) << histogram->coarse) - 1;
    int64_t highest = highest_of(last < KA_HISTOGRAM_BUCKETS_MAX ? last : KA_HISTOGRAM_BUCKETS_MAX - 1);
    return lowest + (highest - lowest) / 2;
}

static uint32_t sum(uint32_t a, uint64_t b)
{
    return b > UINT32_MAX - a ? UINT32_MAX : a + (uint32_t)b;
}

static void add(ka_histogram_bucket *bucket, uint64_t count)
{
    bucket->count = sum(bucket->count, count);
}

/* The position of the first bucket whose index is not below the one given. */
static uint32_t position_of(const ka_histogram *histogram, uint32_t index)
{
    const ka_histogram_bucket *buckets = histogram->buckets;
    uint32_t first = 0, count = histogram->bucket_count;
    while (count > 1) { /* halves without a branch that cannot be foretold */
        uint32_t half = count / 2;
        first += buckets[first + half - 1].index < index ? half : 0;
        count -= half;
    }
    return first + (count == 1 && buckets[first].index < index ? 1 : 0);
}

/* Room for at least `needed` buckets, which never exceeds KA_HISTOGRAM_BUCKETS_MAX. */
static ka_status reserve(ka_histogram *histogram, uint32_t needed)
{
    if (needed <= histogram->bucket_room)
        return KA_OK;
    uint32_t room = histogram->bucket_room > 0 ? histogram->bucket_room * 2 : FIRST_ROOM;
    if (room < needed)
        room = needed;
    uint32_t most = histogram->bucket_limit != 0 ? histogram->bucket_limit : KA_HISTOGRAM_BUCKETS_MAX;
    if (room > most)
        room = most;
    const ka_allocator *allocator = histogram->allocator;
    void *grown = allocator->resize(allocator->user, histogram->buckets, room * sizeof(ka_histogram_bucket));
    if (grown == NULL)
        return KA_NO_MEMORY;
    histogram->buckets = grown;
    histogram->bucket_room = room;
    return KA_OK;
}

static void widen(ka_histogram *histogram, int64_t smallest, int64_t largest)
{
    if (histogram->count == 0 || smallest < histogram->smallest)
        histogram->smallest = smallest;
    if (histogram->count == 0 || largest > histogram->largest)
        histogram->largest = largest;
}

void ka_histogram_init(ka_histogram *histogram, const ka_allocator *allocator)
{
    *histogram = (ka_histogram){.allocator = allocator, .smallest = KA_NONE, .largest = KA_NONE};
}

void ka_histogram_init_limited(ka_histogram *histogram, const ka_allocator *allocator, uint32_t bucket_limit)
{
    ka_histogram_init(histogram, allocator);
    histogram->bucket_limit = histogram->exact_limit = bucket_limit;
}

void ka_histogram_init_rough(ka_histogram *histogram, const ka_allocator *allocator, uint32_t bucket_limit)
{
    ka_histogram_init_limited(histogram, allocator, bucket_limit);
    histogram->exact_limit = bucket_limit < EXACT_BUCKETS ? bucket_limit : EXACT_BUCKETS;
}

void ka_histogram_fini(ka_histogram *histogram)
{
    if (histogram->buckets != NULL)
        histogram->allocator->resize(histogram->allocator->user, histogram->buckets, 0);
    uint32_t exact_limit = histogram->exact_limit;
    ka_histogram_init_limited(histogram, histogram->allocator, histogram->bucket_limit);
    histogram->exact_limit = exact_limit;
}

/* Joins neighbours. */
static void coarsen(ka_histogram *histogram)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < histogram->bucket_count; i++) {
        ka_histogram_bucket bucket = histogram->buckets[i];
        bucket.index >>= 1;
        if (kept > 0 && histogram->buckets[kept - 1].index == bucket.index)
            histogram->buckets[kept - 1].count = sum(histogram->buckets[kept - 1].count, bucket.count);
        else
            histogram->buckets[kept++] = bucket;
    }
    histogram->bucket_count = kept;
    histogram->coarse++;
}

/* ---- One bucket for every index between the first and the last: found without a search ---- */

static uint32_t span_of(const ka_histogram *histogram)
{
    uint32_t count = histogram->bucket_count;
    return count > 0 ? histogram->buckets[count - 1].index - histogram->buckets[0].index + 1 : 0;
}

/* There must be room for as many as the limit allows. */
static void spread(ka_histogram *histogram)
{
    while (span_of(histogram) > histogram->bucket_limit)
        coarsen(histogram);
    ka_histogram_bucket *buckets = histogram->buckets;
    uint32_t span = span_of(histogram), from = histogram->bucket_count;
    for (uint32_t to = span; to-- > 0;) { /* from the back: nothing is overwritten before it was moved */
        uint32_t index = buckets[0].index + to;
        bool there = from > 0 && buckets[from - 1].index == index;
        buckets[to] = (ka_histogram_bucket){index, there ? buckets[--from].count : 0};
    }
    histogram->bucket_count = span;
    histogram->dense = true;
}

/* Makes the bucket at the front or at the back one of those there are. */
static void extend(ka_histogram *histogram, uint32_t index)
{
    ka_histogram_bucket *buckets = histogram->buckets;
    uint32_t count = histogram->bucket_count;
    uint32_t first = count > 0 ? buckets[0].index : index, before = index < first ? first - index : 0;
    uint32_t after = index >= first + count ? index + 1 - first - count : 0;
    memmove(buckets + before, buckets, count * sizeof *buckets);
    for (uint32_t i = 0; i < before; i++)
        buckets[i] = (ka_histogram_bucket){index + i, 0};
    for (uint32_t i = 0; i < after; i++)
        buckets[before + count + i] = (ka_histogram_bucket){first + count + i, 0};
    histogram->bucket_count = before + count + after;
}

static bool extends_too_far(const ka_histogram *histogram, uint32_t index)
{
    const ka_histogram_bucket *buckets = histogram->buckets;
    uint32_t count = histogram->bucket_count, limit = histogram->bucket_limit;
    if (count == 0)
        return false;
    return index < buckets[0].index ? buckets[count - 1].index - index >= limit
                                    : index - buckets[0].index >= limit;
}

static void count_in_dense(ka_histogram *histogram, uint32_t index, uint64_t count)
{
    while (extends_too_far(histogram, index >> histogram->coarse))
        coarsen(histogram);
    index >>= histogram->coarse;
    if (histogram->bucket_count == 0 || index - histogram->buckets[0].index >= histogram->bucket_count)
        extend(histogram, index);
    add(&histogram->buckets[index - histogram->buckets[0].index], count);
}

/* ---- */

/* Counts more values of the bucket with that index, of the finest kind. */
static ka_status count_in(ka_histogram *histogram, uint32_t index, uint64_t count)
{
    if (histogram->dense) {
        uint32_t at =
            (index >> histogram->coarse) - (histogram->bucket_count > 0 ? histogram->buckets[0].index : 0);
        if (at < histogram->bucket_count)
            add(&histogram->buckets[at], count);
        else
            count_in_dense(histogram, index, count);
        return KA_OK;
    }
    uint32_t at = position_of(histogram, index);
    if (at < histogram->bucket_count && histogram->buckets[at].index == index) {
        add(&histogram->buckets[at], count);
        return KA_OK;
    }
    bool is_full = histogram->bucket_limit != 0 && histogram->bucket_count == histogram->exact_limit;
    ka_status status = reserve(histogram, is_full ? histogram->bucket_limit : histogram->bucket_count + 1);
    if (status != KA_OK)
        return status;
    if (is_full) {
        spread(histogram);
        return count_in(histogram, index, count);
    }
    ka_histogram_bucket *bucket = histogram->buckets + at;
    memmove(bucket + 1, bucket, (histogram->bucket_count - at) * sizeof *bucket);
    *bucket = (ka_histogram_bucket){index, sum(0, count)};
    histogram->bucket_count++;
    return KA_OK;
}

ka_status ka_histogram_add(ka_histogram *histogram, int64_t value)
{
    if (value < 0)
        return KA_MISUSE;
    ka_status status = count_in(histogram, index_of(value), 1);
    if (status != KA_OK)
        return status;
    widen(histogram, value, value);
    histogram->count++;
    return KA_OK;
}

/* How many buckets hold something in either. */
static uint32_t union_count(const ka_histogram *a, const ka_histogram *b)
{
    uint32_t i = 0, j = 0, both = 0;
    while (i < a->bucket_count && j < b->bucket_count) {
        uint32_t left = a->buckets[i].index, right = b->buckets[j].index;
        i += left <= right;
        j += right <= left;
        both += left == right;
    }
    return a->bucket_count + b->bucket_count - both;
}

/* Bucket by bucket, as one of them is limited: room for all that can be needed is reserved first. */
static ka_status merge_limited(ka_histogram *into, const ka_histogram *from)
{
    uint32_t needed = into->bucket_count + from->bucket_count;
    if (into->bucket_limit != 0 && (needed > into->exact_limit || from->dense))
        needed = into->bucket_limit;
    ka_status status = reserve(into, needed);
    if (status != KA_OK)
        return status;
    if (from->dense && into->bucket_limit != 0 && !into->dense)
        spread(into);
    while (into->dense && into->coarse < from->coarse)
        coarsen(into);
    for (uint32_t i = 0; i < from->bucket_count; i++) {
        if (from->buckets[i].count > 0)
            count_in(into, from->buckets[i].index << from->coarse, from->buckets[i].count);
    }
    widen(into, from->smallest, from->largest);
    into->count += from->count;
    return KA_OK;
}

ka_status ka_histogram_merge(ka_histogram *into, const ka_histogram *from)
{
    if (from->count == 0)
        return KA_OK;
    if (into->bucket_limit != 0 || from->bucket_limit != 0)
        return merge_limited(into, from);
    uint32_t total = union_count(into, from);
    ka_status status = reserve(into, total);
    if (status != KA_OK)
        return status;
    /* From the back, in place: the write position never falls below the next one read. */
    uint32_t i = into->bucket_count, j = from->bucket_count, to = total;
    while (j > 0) {
        ka_histogram_bucket next = from->buckets[j - 1];
        if (i > 0 && into->buckets[i - 1].index > next.index) {
            next = into->buckets[--i];
        } else {
            if (i > 0 && into->buckets[i - 1].index == next.index)
                next.count = sum(next.count, into->buckets[--i].count);
            j--;
        }
        into->buckets[--to] = next;
    }
    into->bucket_count = total;
    widen(into, from->smallest, from->largest);
    into->count += from->count;
    return KA_OK;
}

uint64_t ka_histogram_count(const ka_histogram *histogram)
{
    return histogram->count;
}

/* ceil(count * percent / 100) without overflow. */
static uint64_t rank_of(uint64_t count, unsigned percent)
{
    return count / 100 * percent + (count % 100 * percent + 99) / 100;
}

int64_t ka_histogram_quantile(const ka_histogram *histogram, unsigned percent)
{
    if (histogram->count == 0)
        return KA_NONE;
    uint64_t rank = rank_of(histogram->count, percent > 1 ? percent : 1);
    if (rank >= histogram->count)
        return histogram->largest;
    uint64_t passed = 0;
    uint32_t at = 0;
    while ((passed += histogram->buckets[at].count) < rank)
        at++;
    return ka_histogram_value(histogram, at);
}

int64_t ka_histogram_value(const ka_histogram *histogram, uint32_t at)
{
    int64_t middle = middle_of(histogram, histogram->buckets[at].index);
    if (middle < histogram->smallest)
        return histogram->smallest;
    return middle < histogram->largest ? middle : histogram->largest;
}

uint64_t ka_histogram_at_least(const ka_histogram *histogram, int64_t value)
{
    uint32_t at = value <= 0 ? 0 : position_of(histogram, index_of(value) >> histogram->coarse);
    uint64_t count = 0;
    while (at < histogram->bucket_count)
        count += histogram->buckets[at++].count;
    return count;
}

uint64_t ka_histogram_pass(const ka_histogram *histogram, int64_t value, uint32_t *at)
{
    uint32_t index = value <= 0 ? 0 : index_of(value) >> histogram->coarse;
    uint64_t passed = 0;
    while (*at < histogram->bucket_count && histogram->buckets[*at].index < index)
        passed += histogram->buckets[(*at)++].count;
    return passed;
}
