/* growth.c - connections over time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "growth.h"

enum { FIRST_WIDTH_BITS = 30 }; /* about a second */

static uint64_t bin_of(const ka_growth *g, int64_t time_ns)
{
    return time_ns <= g->start_ns ? 0 : (uint64_t)(time_ns - g->start_ns) >> g->width_bits;
}

static uint32_t sum(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static void widen(ka_growth *g)
{
    for (unsigned i = 0; i < KA_GROWTH_BINS; i++) {
        const ka_growth_bin none = {0, 0, 0};
        ka_growth_bin left = 2 * i < KA_GROWTH_BINS ? g->bins[2 * i] : none;
        ka_growth_bin right = 2 * i + 1 < KA_GROWTH_BINS ? g->bins[2 * i + 1] : none;
        g->bins[i] = (ka_growth_bin){sum(left.opened, right.opened), sum(left.closed, right.closed),
                                     sum(left.requests, right.requests)};
    }
    g->width_bits++;
}

void ka_growth_count(ka_growth *g, int64_t time_ns, ka_growth_event event)
{
    if (g->width_bits == 0) {
        g->start_ns = time_ns;
        g->width_bits = FIRST_WIDTH_BITS;
    }
    while (bin_of(g, time_ns) >= KA_GROWTH_BINS)
        widen(g);
    ka_growth_bin *bin = &g->bins[bin_of(g, time_ns)];
    uint32_t *count = event == KA_GROWTH_OPENED   ? &bin->opened
                      : event == KA_GROWTH_CLOSED ? &bin->closed
                                                  : &bin->requests;
    *count = sum(*count, 1);
}

static void add(ka_growth_sum *to, const ka_growth_bin *bin)
{
    to->opened += bin->opened;
    to->closed += bin->closed;
    to->requests += bin->requests;
}

bool ka_growth_quarters(const ka_growth *g, int64_t now_ns, ka_growth_sum *whole, ka_growth_sum parts[4])
{
    ka_growth at = *g;
    ka_growth_sum all = {0, 0, 0}, quarters[4] = {{0, 0, 0}};
    if (g->width_bits == 0)
        return false;
    while (bin_of(&at, now_ns) >= KA_GROWTH_BINS)
        widen(&at);
    unsigned full = (unsigned)bin_of(&at, now_ns), each = full / 4; /* the last bin is still filling */
    if (each == 0)
        return false;
    for (unsigned i = 0; i < KA_GROWTH_BINS; i++)
        add(&all, &at.bins[i]);
    for (unsigned i = 0; i < 4 * each; i++)
        add(&quarters[i / each], &at.bins[full - 4 * each + i]);
    *whole = all;
    for (unsigned i = 0; i < 4; i++)
        parts[i] = quarters[i];
    return true;
}
