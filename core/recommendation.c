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
static int64_t base_ns(const ka_inferred *timer, int64_t timeout_s, bool *by_advert)
{
    int64_t contract_ns = ka_inferred_contract_ns(timer);
    int64_t advertised_ns = timeout_s == KA_NONE ? KA_NONE : timeout_s * KA_SECOND_NS;
    bool varied = timer->kind == KA_TIMER_VARIED;
    *by_advert = false;
    if (contract_ns == KA_NONE || advertised_ns == KA_NONE) {
        *by_advert = contract_ns == KA_NONE && advertised_ns != KA_NONE && !varied;
        return *by_advert ? advertised_ns : contract_ns;
    }
    *by_advert = contract_ns >= advertised_ns - HONOURED_NS;
    return *by_advert ? advertised_ns : contract_ns;
}

static int64_t below_ns(int64_t base_ns, int64_t margin_ns)
{
    int64_t idle_ns = (base_ns - margin_ns) / TENTH_NS * TENTH_NS;
    return idle_ns > 0 ? idle_ns : 0;
}

static ka_recommended recommend(const ka_usage *u, const ka_endpoint_record *r)
{
    ka_recommended out = {.pool_idle_ns = KA_NONE, .server_timeout_ns = KA_NONE};
    out.rtt_p99_ns = ka_histogram_quantile(&u->rtts, 99);
    out.margin_ns = LEAST_MARGIN_NS;
    if (out.rtt_p99_ns != KA_NONE && out.rtt_p99_ns > LEAST_MARGIN_NS / 2)
        out.margin_ns = 2 * out.rtt_p99_ns;
    out.pool_base_ns = base_ns(&r->server_timer, r->timeout_s, &out.pool_by_advert);
    if (out.pool_base_ns != KA_NONE)
        out.pool_idle_ns = below_ns(out.pool_base_ns, out.margin_ns);
    out.longest_reuse_ns = u->longest_reuse_ns;
    if (u->longest_reuse_ns != KA_NONE)
        out.server_timeout_ns =
            (u->longest_reuse_ns + ABOVE_CLIENTS_NS + KA_SECOND_NS - 1) / KA_SECOND_NS * KA_SECOND_NS;
    return out;
}

/* Reuses after that idle time, to the width of a bucket: of shorter ones only how many there are is known. */
static uint64_t gaps_from(const ka_histogram *gaps, int64_t idle_ns)
{
    return idle_ns > gaps->largest ? 0 : ka_histogram_at_least(gaps, idle_ns);
}

static int64_t sooner_ns(int64_t timeout_ns, int64_t by_ns)
{
    return timeout_ns > by_ns ? timeout_ns - by_ns : 0;
}

/* Adds what came near to that timeout. */
static void add_near(ka_exposure *out, const ka_histogram *gaps, int64_t timeout_ns, const ka_recommended *by)
{
    int64_t rtt_ns = by->rtt_p99_ns != KA_NONE ? by->rtt_p99_ns : 0;
    out->in_danger += gaps_from(gaps, sooner_ns(timeout_ns, by->margin_ns));
    out->in_race += gaps_from(gaps, sooner_ns(timeout_ns, rtt_ns));
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
    out.from_ns = sooner_ns(out.timeout_ns, by->margin_ns);
    add_near(&out, &u->gaps, out.timeout_ns, by);
    return out;
}

void ka_recommend(const ka_usage *usage, ka_endpoint_record *record)
{
    record->recommended = recommend(usage, record);
    record->exposure = expose(usage, &record->recommended, record);
}

/* ---- Sites ---- */

/* By the site that closes first; each reuse is compared with its own site's timeout. */
static void begin_anew(ka_endpoint_record *r, int64_t timeout_ns, bool by_advert)
{
    ka_recommended *by = &r->recommended;
    by->pool_base_ns = timeout_ns;
    by->pool_by_advert = by_advert;
    by->pool_idle_ns = below_ns(timeout_ns, by->margin_ns);
    r->exposure.timeout_ns = timeout_ns;
    r->exposure.from_ns = sooner_ns(timeout_ns, by->margin_ns);
    r->exposure.in_danger = r->exposure.in_race = 0;
    r->exposure.inverted = false;
}

void ka_recommend_sites(const ka_site *const *sites, ka_site_record *told, ka_endpoint_record *r)
{
    int64_t bases_ns[KA_SITES_MAX], first_ns = r->recommended.pool_base_ns;
    bool first_by_advert = r->recommended.pool_by_advert, known = false;
    for (uint32_t i = 0; i < r->site_count; i++) {
        bool by_advert;
        bases_ns[i] = base_ns(&told[i].server_timer, told[i].timeout_s, &by_advert);
        told[i].pool_idle_ns =
            bases_ns[i] != KA_NONE ? below_ns(bases_ns[i], r->recommended.margin_ns) : KA_NONE;
        known = known || bases_ns[i] != KA_NONE;
        if (bases_ns[i] == KA_NONE || (first_ns != KA_NONE && first_ns <= bases_ns[i]))
            continue;
        first_ns = bases_ns[i];
        first_by_advert = by_advert;
    }
    if (r->server_timer.kind == KA_TIMER_FIXED || !known)
        return; /* one timer for all, or none that is a site's own */
    begin_anew(r, first_ns, first_by_advert);
    for (uint32_t i = 0; i < r->site_count; i++) {
        int64_t contract_ns = ka_inferred_contract_ns(&told[i].server_timer);
        if (bases_ns[i] != KA_NONE)
            add_near(&r->exposure, &sites[i]->gaps, bases_ns[i], &r->recommended);
        if (contract_ns != KA_NONE && sites[i]->idling.longest_hold_ns >= contract_ns)
            r->exposure.inverted = true;
    }
}
