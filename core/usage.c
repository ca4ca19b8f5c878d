/* usage.c - how the connections of one server were used.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "usage.h"

enum { HISTOGRAMS = 6 };

/* All of them, for what is done with each. */
static void histograms(ka_usage *u, ka_histogram *out[HISTOGRAMS])
{
    ka_histogram *const all[HISTOGRAMS] = {&u->gaps, &u->ages,         &u->first_requests,
                                           &u->rtts, &u->whole_counts, &u->cut_counts};
    for (unsigned i = 0; i < HISTOGRAMS; i++)
        out[i] = all[i];
}

void ka_usage_init(ka_usage *u, const ka_allocator *allocator)
{
    ka_histogram *all[HISTOGRAMS];
    *u = (ka_usage){.longest_reuse_ns = KA_NONE, .longest_hold_ns = KA_NONE};
    histograms(u, all);
    for (unsigned i = 0; i < HISTOGRAMS; i++)
        ka_histogram_init_rough(all[i], allocator, KA_USAGE_BUCKETS);
}

void ka_usage_fini(ka_usage *u)
{
    ka_histogram *all[HISTOGRAMS];
    histograms(u, all);
    for (unsigned i = 0; i < HISTOGRAMS; i++)
        ka_histogram_fini(all[i]);
}

static void merge_closes(ka_close_counts *into, const ka_close_counts *from)
{
    for (unsigned i = 0; i <= KA_VERDICT_LATE; i++)
        into->by_verdict[i] += from->by_verdict[i];
    into->resets += from->resets;
}

ka_status ka_usage_merge(ka_usage *into, const ka_usage *from)
{
    ka_usage source = *from; /* only to list its histograms */
    ka_histogram *to_all[HISTOGRAMS], *from_all[HISTOGRAMS];
    histograms(into, to_all);
    histograms(&source, from_all);
    for (unsigned i = 0; i < HISTOGRAMS; i++) {
        if (ka_histogram_merge(to_all[i], from_all[i]) != KA_OK)
            return KA_NO_MEMORY;
    }
    merge_closes(&into->closed_by_server, &from->closed_by_server);
    merge_closes(&into->closed_by_client, &from->closed_by_client);
    into->unused += from->unused;
    if (from->longest_reuse_ns > into->longest_reuse_ns)
        into->longest_reuse_ns = from->longest_reuse_ns;
    ka_usage_held(into, from->longest_hold_ns);
    return KA_OK;
}

ka_status ka_usage_reused(ka_usage *u, int64_t idle_ns)
{
    if (idle_ns > u->longest_reuse_ns)
        u->longest_reuse_ns = idle_ns;
    return ka_histogram_add(&u->gaps, idle_ns);
}

void ka_usage_held(ka_usage *u, int64_t idle_ns)
{
    if (idle_ns > u->longest_hold_ns)
        u->longest_hold_ns = idle_ns;
}

static void count_close(ka_usage *u, const ka_close *close)
{
    ka_close_counts *counts = close->by == KA_SIDE_SERVER ? &u->closed_by_server : &u->closed_by_client;
    if (close->by == KA_SIDE_NONE)
        return;
    counts->by_verdict[close->verdict]++;
    counts->resets += close->how == KA_HOW_RST ? 1 : 0;
}

/* Where the handshake shows both halves of the path. */
static ka_status add_rtt(ka_usage *u, const ka_view *v)
{
    return v->rtt_server_ns > 0 || v->rtt_client_ns > 0 ? ka_histogram_add(&u->rtts, v->rtt_ns) : KA_OK;
}

static ka_status add_age(ka_usage *u, const ka_view *v)
{
    int64_t age_ns = v->close.at.time_ns - v->connection->first.time_ns;
    return age_ns >= 0 ? ka_histogram_add(&u->ages, age_ns) : KA_OK;
}

ka_status ka_usage_add(ka_usage *u, const ka_view *v)
{
    int64_t requests = v->exchanges->requests + (v->connection->h2 != NULL ? v->connection->h2->requests : 0);
    bool whole = v->close.by != KA_SIDE_NONE && !(v->failed_gates & KA_GATE_MID_START);
    count_close(u, &v->close);
    if (!ka_view_was_used(v) && requests == 0 && v->begun.seq == 0)
        u->unused++;
    if (add_rtt(u, v) != KA_OK || (whole && add_age(u, v) != KA_OK))
        return KA_NO_MEMORY;
    if (requests == 0)
        return KA_OK;
    return ka_histogram_add(whole ? &u->whole_counts : &u->cut_counts, requests);
}

static ka_quantiles quantiles_of(const ka_histogram *h)
{
    return (ka_quantiles){ka_histogram_count(h), ka_histogram_quantile(h, 50), ka_histogram_quantile(h, 95),
                          ka_histogram_quantile(h, 100)};
}

void ka_usage_record(const ka_usage *u, ka_endpoint_record *out)
{
    out->idle_gaps = quantiles_of(&u->gaps);
    out->ages = quantiles_of(&u->ages);
    out->first_request = quantiles_of(&u->first_requests);
    out->requests_whole = quantiles_of(&u->whole_counts);
    out->requests_cut = quantiles_of(&u->cut_counts);
    out->unused = u->unused;
    out->closed_by_server = u->closed_by_server;
    out->closed_by_client = u->closed_by_client;
}
