/* growth.c - connections over time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "growth.h"

#include <string.h>

enum { FIRST_WIDTH_BITS = 30 }; /* about a second */

/* The number of a time's bin since the beginning of all time, whatever came first: so the bins do not depend
 * on the order of the events. */
static uint64_t place_of(const ka_growth *g, int64_t time_ns)
{
    return ((uint64_t)time_ns + (UINT64_C(1) << 63)) >> g->width_bits;
}

/* Its index; huge when it is before the first. */
static uint64_t bin_of(const ka_growth *g, int64_t time_ns)
{
    return place_of(g, time_ns) - place_of(g, g->start_ns);
}

static uint32_t sum(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static void join(ka_growth_bin *to, const ka_growth_bin *from)
{
    to->opened = sum(to->opened, from->opened);
    to->closed = sum(to->closed, from->closed);
    to->requests = sum(to->requests, from->requests);
    to->joined = sum(to->joined, from->joined);
    to->busy_ns += from->busy_ns;
}

static void widen(ka_growth *g)
{
    ka_growth_bin bins[KA_GROWTH_BINS] = {{0}};
    uint64_t first = place_of(g, g->start_ns);
    for (unsigned i = 0; i < KA_GROWTH_BINS; i++)
        join(&bins[(first + i) / 2 - first / 2], &g->bins[i]);
    memcpy(g->bins, bins, sizeof bins);
    g->width_bits++;
}

/* Makes room for a time before all others. */
static void begin_earlier(ka_growth *g, int64_t time_ns)
{
    uint64_t used = KA_GROWTH_BINS;
    const ka_growth_bin none = {0};
    while (used > 0 && memcmp(&g->bins[used - 1], &none, sizeof none) == 0)
        used--;
    while (place_of(g, g->start_ns) - place_of(g, time_ns) + used > KA_GROWTH_BINS) {
        used = (place_of(g, g->start_ns) % 2 + used + 1) / 2;
        widen(g);
    }
    uint64_t by = place_of(g, g->start_ns) - place_of(g, time_ns);
    memmove(&g->bins[by], &g->bins[0], (KA_GROWTH_BINS - by) * sizeof g->bins[0]);
    memset(&g->bins[0], 0, by * sizeof g->bins[0]);
    g->start_ns = time_ns;
}

static void make_room(ka_growth *g, int64_t time_ns)
{
    if (g->width_bits != 0 && time_ns >= g->start_ns && bin_of(g, time_ns) < KA_GROWTH_BINS)
        return;
    if (g->width_bits == 0) {
        g->start_ns = time_ns;
        g->width_bits = FIRST_WIDTH_BITS;
    }
    if (time_ns < g->start_ns)
        begin_earlier(g, time_ns);
    while (bin_of(g, time_ns) >= KA_GROWTH_BINS)
        widen(g);
}

void ka_growth_count(ka_growth *g, int64_t time_ns, ka_growth_event event)
{
    make_room(g, time_ns);
    ka_growth_bin *bin = &g->bins[bin_of(g, time_ns)];
    uint32_t *count = event == KA_GROWTH_OPENED   ? &bin->opened
                      : event == KA_GROWTH_CLOSED ? &bin->closed
                      : event == KA_GROWTH_JOINED ? &bin->joined
                                                  : &bin->requests;
    *count = sum(*count, 1);
}

void ka_growth_busy(ka_growth *g, int64_t from_ns, int64_t to_ns)
{
    if (to_ns <= from_ns)
        return;
    make_room(g, from_ns);
    make_room(g, to_ns);
    while (from_ns < to_ns) {
        uint64_t width_ns = UINT64_C(1) << g->width_bits, left_ns = (uint64_t)to_ns - (uint64_t)from_ns;
        uint64_t of_bin_ns = width_ns - ((uint64_t)from_ns & (width_ns - 1));
        uint64_t step_ns = of_bin_ns < left_ns ? of_bin_ns : left_ns;
        g->bins[bin_of(g, from_ns)].busy_ns += step_ns;
        from_ns += (int64_t)step_ns;
    }
}

/* When the first bin begins. */
static int64_t begin_ns(const ka_growth *g)
{
    return (int64_t)((uint64_t)g->start_ns & ~((UINT64_C(1) << g->width_bits) - 1));
}

/* Of the last bin only so much has passed. */
static uint32_t active_permille(const ka_growth_bin *bin, uint64_t width_ns)
{
    uint64_t permille = width_ns > 0 ? bin->busy_ns / (width_ns / 1000 + 1) : 0;
    return permille > UINT32_MAX ? UINT32_MAX : (uint32_t)permille;
}

void ka_growth_load(const ka_growth *g, int64_t now_ns, ka_load *out)
{
    ka_growth at = *g;
    ka_load load = {0};
    int64_t open = 0;
    *out = load;
    if (g->width_bits == 0)
        return;
    make_room(&at, now_ns);
    load.start_ns = begin_ns(&at);
    load.width_ns = INT64_C(1) << at.width_bits;
    load.bin_count = (uint32_t)bin_of(&at, now_ns) + 1;
    for (uint32_t i = 0; i < load.bin_count; i++) {
        const ka_growth_bin *bin = &at.bins[i];
        uint64_t width_ns = (uint64_t)load.width_ns;
        uint64_t passed_ns = (uint64_t)now_ns - (uint64_t)load.start_ns - i * width_ns;
        open += (int64_t)bin->joined - bin->closed;
        load.bins[i] = (ka_load_bin){bin->opened, bin->closed, bin->requests, open > 0 ? (uint32_t)open : 0,
                                     active_permille(bin, passed_ns < width_ns ? passed_ns : width_ns)};
    }
    *out = load;
}

int64_t ka_growth_slope(const ka_load *load)
{
    int64_t n = (int64_t)load->bin_count - 1; /* the last bin is still filling */
    int64_t sum_x = n * (n - 1) / 2, sum_y = 0, sum_xx = 0, sum_xy = 0;
    if (n < 3)
        return KA_NONE;
    for (int64_t x = 0; x < n; x++) {
        sum_y += load->bins[x].open;
        sum_xx += x * x;
        sum_xy += x * load->bins[x].open;
    }
    int64_t above = n * sum_xy - sum_x * sum_y, below = n * sum_xx - sum_x * sum_x; /* a bin */
    int64_t bin_ms = load->width_ns / KA_MILLISECOND_NS;
    /* Below 2^63: `above` is at most 2^10 * 2^32 * 2^5, and hours have 2^22 ms. */
    return above / below * (3600 * 1000) / bin_ms + above % below * (3600 * 1000) / (below * bin_ms);
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
    make_room(&at, now_ns);
    unsigned full = (unsigned)bin_of(&at, now_ns);       /* the last bin is still filling */
    unsigned part = begin_ns(&at) < at.start_ns ? 1 : 0; /* and the first may have begun before */
    unsigned each = full > part ? (full - part) / 4 : 0;
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
