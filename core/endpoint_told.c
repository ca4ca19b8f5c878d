/* endpoint_told.c - what is told of one server: the ledgers' sums, and what is inferred from them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "endpoint.h"
#include "inference.h"
#include "recommendation.h"

/* ---- Its clients ---- */

static ka_client_habit habit_of(const ka_endpoint *e, const ka_client *c, const ka_thresholds *limits)
{
    ka_client_habit habit = {.client = {.version = (uint8_t)c->key.version},
                             .of_name = c->key.site == e->site,
                             .p10_ns = KA_NONE,
                             .median_ns = KA_NONE,
                             .longest_hold_ns = c->longest_hold_ns};
    memcpy(habit.client.ip, c->key.ip, sizeof habit.client.ip);
    if (c->own == NULL)
        return habit;
    ka_inferred timer;
    ka_infer(c->own, KA_SIDE_CLIENT, limits, &timer);
    habit.closes = timer.closes;
    habit.p10_ns = timer.p10_ns;
    habit.median_ns = timer.median_ns;
    return habit;
}

/* Most idle closes first, then the longest hold; then by address, which no input order can change. */
static int compare(const ka_client_habit *a, const ka_client_habit *b)
{
    if (a->closes != b->closes)
        return a->closes > b->closes ? -1 : 1;
    if (a->longest_hold_ns != b->longest_hold_ns)
        return a->longest_hold_ns > b->longest_hold_ns ? -1 : 1;
    if (a->client.version != b->client.version)
        return a->client.version < b->client.version ? -1 : 1;
    return memcmp(a->client.ip, b->client.ip, sizeof a->client.ip);
}

static void keep(ka_endpoint_record *out, const ka_client_habit *habit)
{
    uint32_t at = out->client_count;
    while (at > 0 && compare(habit, &out->clients[at - 1]) < 0)
        at--;
    if (at == KA_CLIENT_HABITS_MAX)
        return;
    if (out->client_count < KA_CLIENT_HABITS_MAX)
        out->client_count++;
    memmove(&out->clients[at + 1], &out->clients[at], (out->client_count - at - 1) * sizeof *habit);
    out->clients[at] = *habit;
}

static void list_clients(const ka_endpoint *e, const ka_clients *clients, const ka_thresholds *limits,
                         ka_endpoint_record *out)
{
    for (uint32_t i = e->first_client; i != 0; i = clients->at[i - 1].next) {
        const ka_client *c = &clients->at[i - 1];
        if (c->longest_hold_ns < limits->timer_sample_ns)
            continue;
        ka_client_habit habit = habit_of(e, c, limits);
        out->clients_known++;
        keep(out, &habit);
    }
}

/* ---- */

static void tell_sums(const ka_endpoint *e, ka_endpoint_record *out)
{
    out->server = e->server;
    out->name = e->name;
    out->connections = e->connections;
    out->requests = e->requests;
    out->responses = e->responses;
    out->timeout_s = e->timeout_s;
    out->max = e->max;
    out->max_style = e->max_style;
    out->idle_closes_by_server = ka_histogram_count(&e->idle_by_server);
    out->idle_closes_by_client = ka_histogram_count(&e->idle_by_client);
    out->idle_median_by_server_ns = ka_histogram_quantile(&e->idle_by_server, 50);
    out->idle_median_by_client_ns = ka_histogram_quantile(&e->idle_by_client, 50);
    out->open_at_end = e->open_at_end;
    out->concurrency_max = e->concurrency_max;
    if (ka_histogram_count(&e->request_counts) == 0)
        return;
    out->requests_median = (uint64_t)ka_histogram_quantile(&e->request_counts, 50);
    out->requests_p95 = (uint64_t)ka_histogram_quantile(&e->request_counts, 95);
    out->requests_max = (uint64_t)ka_histogram_quantile(&e->request_counts, 100);
}

void ka_endpoint_record_of(const ka_endpoint *e, const ka_clients *clients, const ka_thresholds *limits,
                           ka_moment now, ka_endpoint_record *out)
{
    memset(out, 0, sizeof *out);
    tell_sums(e, out);
    ka_infer(&e->idling.by_server, KA_SIDE_SERVER, limits, &out->server_timer);
    ka_infer(&e->idling.by_client, KA_SIDE_CLIENT, limits, &out->client_timer);
    if (e->timeout_s != KA_NONE)
        out->server_timer.hint = NULL; /* what it advertises says more */
    list_clients(e, clients, limits, out);
    ka_usage_record(&e->usage, out);
    ka_recommend(&e->usage, out);
    ka_growth_load(&e->growth, now.time_ns, &out->load);
    for (uint32_t i = 0; i < out->load.bin_count; i++)
        out->opened += out->load.bins[i].opened;
    out->span_ns = out->load.bin_count > 0 ? now.time_ns - out->load.start_ns : KA_NONE;
}
