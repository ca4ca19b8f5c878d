/* spares.h - connections that would have been idle when their client opened another: what nobody knows,
 * bounded.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WHAT_IF_SPARES_H
#define WHAT_IF_SPARES_H

#include <stddef.h>
#include <stdint.h>

/* After `from_ns`, up to `until_ns`; empty when that is not later. */
typedef struct what_if_span {
    int64_t from_ns;
    int64_t until_ns;
} what_if_span;

/* A connection that the setting keeps beyond its captured end. */
typedef struct what_if_spare {
    what_if_span use;  /* while a request on it might have been served */
    what_if_span race; /* while one might have been lost */
} what_if_spare;

/* At most how many openings fall into spans, each span taking one: every opening, in rising order, gets the
 * span that ends first of those it falls into, and no other choice serves more of them. Sorts the spans;
 * `heap` has room for as many indexes. */
uint64_t what_if_match(what_if_span *spans, size_t span_count, const int64_t *opened_ns, size_t opened_count,
                       uint32_t *heap);

#endif
