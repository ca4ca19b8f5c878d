/* growth.h - connections opened and closed, and requests, over time: do connections pile up?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Counts in bins of equal width over the whole time of a server. When the last bin is full, neighbours are
 * joined and the width doubles, so any length of time fits: with 32 bins at least 16 are in use. A bin begins
 * at a whole multiple of its width, so that the order of the events does not matter.
 */
#ifndef KA_GROWTH_H
#define KA_GROWTH_H

#include "keptalive.h"

enum { KA_GROWTH_BINS = 32 };

typedef struct ka_growth_bin {
    uint32_t opened;
    uint32_t closed;
    uint32_t requests; /* stays at its largest value, like the others */
    uint32_t joined;   /* became known: with its SYN, or open before the capture began */
    uint64_t busy_ns;  /* of all requests together, from their first byte to the end of their response */
} ka_growth_bin;

typedef struct ka_growth {
    ka_growth_bin bins[KA_GROWTH_BINS];
    int64_t start_ns;   /* of the first event */
    uint8_t width_bits; /* a bin is 2^width_bits ns wide; 0: nothing was counted yet */
} ka_growth;

typedef enum ka_growth_event {
    KA_GROWTH_OPENED,
    KA_GROWTH_CLOSED,
    KA_GROWTH_REQUEST,
    KA_GROWTH_JOINED
} ka_growth_event;

void ka_growth_count(ka_growth *growth, int64_t time_ns, ka_growth_event event);

/* A request was under way from then to then. */
void ka_growth_busy(ka_growth *growth, int64_t from_ns, int64_t to_ns);

/* All bins until now, as the record has them. */
void ka_growth_load(const ka_growth *growth, int64_t now_ns, ka_load *out);
/* By how many connections an hour the open ones grow, by least squares over the full bins; KA_NONE: fewer
 * than three are full. */
int64_t ka_growth_slope(const ka_load *load);

/* A stretch of bins. */
typedef struct ka_growth_sum {
    uint64_t opened, closed, requests;
} ka_growth_sum;

/* All until now in *whole; in parts[4] four quarters of equal length, the latest full bins. False: too few
 * bins for quarters. */
bool ka_growth_quarters(const ka_growth *growth, int64_t now_ns, ka_growth_sum *whole,
                        ka_growth_sum parts[4]);

#endif
