/* clock.h - how far the clocks of two captures are apart, from exchanges seen in both.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A forwarded exchange lies within the one it was forwarded for: its request goes out after the other's came
 * in, and its answer comes in before the other's goes out. So each exchange seen on both sides bounds the
 * offset from both ends, whatever the proxy takes; the middle of the bounds is right where the way there is
 * as long as the way back.
 */
#ifndef KA_CLOCK_H
#define KA_CLOCK_H

#include "keptalive.h"

/* One exchange: the offset of one clock against another was between these at that time. */
typedef struct ka_clock_bounds {
    int64_t at_ns;
    int64_t least_ns, most_ns;
} ka_clock_bounds;

/* More exchanges than that make it no surer. 24 kB. */
enum { KA_CLOCK_SAMPLES = 1024 };

/* The clock shows at_ns + offset_ns + (at_ns - since_ns) * drift when the other shows at_ns. */
typedef struct ka_clock {
    bool known;
    int64_t since_ns;
    int64_t offset_ns; /* then */
    int64_t drift_ppb; /* nanoseconds a second */
    uint32_t samples;  /* that agree */
} ka_clock;

/* `known` is false when too few agree. The samples are reordered. */
ka_clock ka_clock_fit(ka_clock_bounds *samples, uint32_t count);
/* How far it is ahead when it shows that time itself. */
int64_t ka_clock_ahead_ns(const ka_clock *clock, int64_t shown_ns);

#endif
