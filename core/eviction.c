/* eviction.c - early closes, and the idle connections they spared.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "eviction.h"

/* Evictions come in batches (nginx closes up to 32 at a time), and a request may be on its way to the server
 * when it chooses: what ends this soon after the close says nothing about the choice. */
#define BATCH_NS (100 * KA_MILLISECOND_NS)

void ka_evictions_closed(ka_evictions *e, const ka_early_close *close)
{
    e->closes[e->next % KA_EVICTIONS_KEPT] = *close;
    e->newest_ns = close->at.time_ns;
    e->next = e->next < 2 * KA_EVICTIONS_KEPT - 1 ? e->next + 1 : KA_EVICTIONS_KEPT;
}

void ka_evictions_opened(ka_evictions *e, int64_t syn_ns, int64_t window_ns)
{
    for (uint32_t i = 0; i < KA_EVICTIONS_KEPT && i < e->next; i++) {
        ka_early_close *close = &e->closes[i];
        if (syn_ns <= close->at.time_ns && close->at.time_ns - syn_ns <= window_ns)
            close->pressed = true;
    }
}

void ka_evictions_gap(ka_evictions *e, int64_t from_ns, int64_t to_ns)
{
    if (from_ns >= e->newest_ns)
        return; /* nearly all */
    for (uint32_t i = 0; i < KA_EVICTIONS_KEPT && i < e->next; i++) {
        ka_early_close *close = &e->closes[i];
        if (from_ns >= close->at.time_ns || to_ns <= close->at.time_ns + BATCH_NS)
            continue;
        if (from_ns > close->idle_since_ns)
            close->spared_younger = true;
        else if (from_ns < close->idle_since_ns)
            close->spared_older = true;
    }
}
