/* recommendation.c - what to set at a server and at its clients, and how exposed they are as it is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "recommendation.h"

/* As Node, .NET and HTTP.jl keep away from the server's timeout. */
#define LEAST_MARGIN_NS KA_SECOND_NS
/* By so much a server's timeout should be above the longest idle time its clients went back to. */
#define ABOVE_CLIENTS_NS (5 * KA_SECOND_NS)
/* Nobody sets milliseconds: a pool's timeout is rounded down to tenths, a server's up to seconds. */
#define TENTH_NS (100 * KA_MILLISECOND_NS)
/* A server that closes a few milliseconds before the advertised timeout honours it (see early-tolerance). */
#define HONOURED_NS (50 * KA_MILLISECOND_NS)

/* The timeout clients have to stay below: what the server does or, where it keeps that, what it advertises;
 * KA_NONE where neither is known. */
static int64_t base_ns(const ka_endpoint_record *r, bool *by_advert)
{
    int64_t contract_ns = ka_inferred_contract_ns(&r->server_timer);
    int64_t advertised_ns = r->timeout_s == KA_NONE ? KA_NONE : r->timeout_s * KA_SECOND_NS;
    bool varied = r->server_timer.kind == KA_TIMER_VARIED;
    *by_advert = false;
    if (contract_ns == KA_NONE || advertised_ns == KA_NONE) {
        *by_advert = contract_ns == KA_NONE && advertised_ns != KA_NONE && !varied;
        return *by_advert ? advertised_ns : contract_ns;
    }
    *by_advert = contract_ns >= advertised_ns - HONOURED_NS;
    return *by_advert ? advertised_ns : contract_ns;
}

static ka_recommended recommend(const ka_usage *u, const ka_endpoint_record *r)
{
    ka_recommended out = {.pool_idle_ns = KA_NONE, .server_timeout_ns = KA_NONE};
    out.rtt_p99_ns = ka_histogram_quantile(&u->rtts, 99);
    out.margin_ns = LEAST_MARGIN_NS;
    if (out.rtt_p99_ns != KA_NONE && out.rtt_p99_ns > LEAST_MARGIN_NS / 2)
        out.margin_ns = 2 * out.rtt_p99_ns;
    out.pool_base_ns = base_ns(r, &out.pool_by_advert);
    if (out.pool_base_ns != KA_NONE) {
        int64_t idle_ns = (out.pool_base_ns - out.margin_ns) / TENTH_NS * TENTH_NS;
        out.pool_idle_ns = idle_ns > 0 ? idle_ns : 0;
    }
    out.longest_reuse_ns = u->longest_reuse_ns;
    if (u->longest_reuse_ns != KA_NONE)
        out.server_timeout_ns =
            (u->longest_reuse_ns + ABOVE_CLIENTS_NS + KA_SECOND_NS - 1) / KA_SECOND_NS * KA_SECOND_NS;
    return out;
}

/* Reuses after that idle time, to the width of a bucket: of shorter ones only how many there are is known. */
static uint64_t gaps_from(const ka_usage *u, int64_t idle_ns)
{
    return idle_ns > u->longest_reuse_ns ? 0 : ka_histogram_at_least(&u->gaps, idle_ns);
}

static ka_exposure expose(const ka_usage *u, const ka_recommended *by, const ka_endpoint_record *r)
{
    ka_exposure out = {.timeout_ns = by->pool_base_ns,
                       .from_ns = KA_NONE,
                       .gaps = ka_histogram_count(&u->gaps),
                       .longest_hold_ns = u->longest_hold_ns};
    int64_t contract_ns = ka_inferred_contract_ns(&r->server_timer);
    out.inverted = contract_ns != KA_NONE && u->longest_hold_ns >= contract_ns;
    if (out.timeout_ns == KA_NONE)
        return out;
    int64_t rtt_ns = by->rtt_p99_ns != KA_NONE ? by->rtt_p99_ns : 0;
    out.from_ns = out.timeout_ns > by->margin_ns ? out.timeout_ns - by->margin_ns : 0;
    out.in_danger = gaps_from(u, out.from_ns);
    out.in_race = gaps_from(u, out.timeout_ns > rtt_ns ? out.timeout_ns - rtt_ns : 0);
    return out;
}

void ka_recommend(const ka_usage *usage, ka_endpoint_record *record)
{
    record->recommended = recommend(usage, record);
    record->exposure = expose(usage, &record->recommended, record);
}
