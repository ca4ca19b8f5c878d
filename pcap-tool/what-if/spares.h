/* spares.h - connections that would have been idle when their client opened another: the upper bound of
 * reuse.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WHAT_IF_SPARES_H
#define WHAT_IF_SPARES_H

#include <stddef.h>
#include <stdint.h>

/* A connection that a longer timeout keeps, from its captured end on. */
typedef struct what_if_spare {
    int64_t since_ns; /* idle since */
    int64_t from_ns;
    int64_t until_ns;
    int64_t race_ns; /* a request after so long idle may be lost; KA_NONE: none is */
} what_if_spare;

typedef struct what_if_matched {
    uint64_t reused; /* at most so many connections need not have been opened */
    uint64_t lost;   /* and so many of the requests that reused one might have been lost */
} what_if_matched;

/* Gives each opening, in rising order, the spare that ends first of those it could have used: no other choice
 * serves more of them. Sorts the spares of one client; `heap` has room for as many indexes. */
what_if_matched what_if_match(what_if_spare *spares, size_t spare_count, const int64_t *opened_ns,
                              size_t opened_count, uint32_t *heap);

#endif
