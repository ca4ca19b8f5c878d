/* endpoint_rules_client.c - how the clients of a server use their connections: not again, not any more,
 * without end, or all at one server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "endpoint_rules.h"

#include <string.h>

#include "finding.h"

/* A rate by the hour is no guess when a minute was seen. */
enum { LEAST_RATE_SPAN_S = 60 };

static void show_span(ka_finding *f, const char *first, const char *last, const ka_span *span)
{
    f->at = span->last;
    ka_finding_frame(f, first, span->first);
    ka_finding_frame(f, last, span->last);
}

/* Of so many in the server's time; nothing where that is too short to say. */
static void show_rate(ka_finding *f, const ka_endpoint_view *v, int64_t count)
{
    int64_t span_s = (v->now.time_ns - v->endpoint->growth.start_ns) / KA_SECOND_NS;
    if (span_s >= LEAST_RATE_SPAN_S)
        ka_finding_value(f, "per_hour", count * 3600 / span_s, KA_COUNT);
}

bool ka_endpoint_rule_abandoned(const ka_endpoint_view *v, ka_finding *f)
{
    const ka_client *c = v->client;
    int64_t decided = (int64_t)c->connections - c->undecided;
    if (c->abandoned < v->limits->abandoned_count ||
        (int64_t)c->abandoned * 100 < decided * v->limits->abandoned_percent)
        return false;
    show_span(f, "first_close", "last_close", &c->abandoned_at);
    ka_finding_value(f, "abandoned", c->abandoned, KA_COUNT);
    ka_finding_value(f, "connections", c->connections, KA_COUNT);
    ka_finding_value(f, "share", (int64_t)c->abandoned * 100 / decided, KA_PERCENT);
    show_rate(f, v, c->abandoned);
    return true;
}

bool ka_endpoint_rule_churn(const ka_endpoint_view *v, ka_finding *f)
{
    const ka_client *c = v->client;
    int64_t connections = c->connections;
    if (connections < v->limits->churn_count || c->churned == 0 ||
        (int64_t)c->churned * 100 < connections * v->limits->churn_percent)
        return false;
    if ((int64_t)c->requests * 100 >= connections * v->limits->churn_requests_percent)
        return false;
    show_span(f, "first_close", "last_close", &c->churned_at);
    ka_finding_value(f, "connections", connections, KA_COUNT);
    ka_finding_value(f, "requests", (int64_t)c->requests, KA_COUNT);
    ka_finding_value(f, "churned", c->churned, KA_COUNT);
    ka_finding_value(f, "window", v->limits->churn_window_ns, KA_NS);
    show_rate(f, v, connections);
    return true;
}

/* ---- pool-growth ---- */

static int64_t net(const ka_growth_sum *s)
{
    return (int64_t)s->opened - (int64_t)s->closed;
}

/* In every quarter, and in the second half not much less than in the first: no pool that fills once. */
static bool keeps_growing(const ka_growth_sum q[4])
{
    for (int i = 0; i < 4; i++) {
        if (net(&q[i]) <= 0)
            return false;
    }
    return 2 * (net(&q[2]) + net(&q[3])) >= net(&q[0]) + net(&q[1]);
}

/* Long enough for an idle timeout to have closed what was opened in the first half. */
static bool is_long_enough(const ka_endpoint_view *v)
{
    const ka_endpoint *e = v->endpoint;
    int64_t span_ns = v->now.time_ns - e->growth.start_ns;
    return span_ns >= v->limits->growth_span_ns &&
           (e->timeout_s == KA_NONE || span_ns / 2 >= e->timeout_s * KA_SECOND_NS);
}

static bool grows(const ka_endpoint_view *v, const ka_growth_sum *all, const ka_growth_sum q[4])
{
    const ka_thresholds *limits = v->limits;
    int64_t opened = (int64_t)all->opened - v->endpoint->tunnels; /* those are meant to stay */
    if (!is_long_enough(v) || opened < limits->growth_count ||
        (int64_t)all->closed * 100 >= opened * limits->growth_percent)
        return false;
    if (v->endpoint->left_idle * INT64_C(2) < net(all))
        return false; /* in use: more clients share the same load */
    uint64_t first = q[0].requests + q[1].requests, second = q[2].requests + q[3].requests;
    return first > 0 && second * 100 <= first * (uint64_t)limits->growth_rate_percent && keeps_growing(q);
}

static bool is_same(const ka_client *a, const ka_client *b)
{
    return a->key.version == b->key.version && memcmp(a->key.ip, b->key.ip, sizeof a->key.ip) == 0;
}

/* The client that opened more than half, if there is one, by Boyer and Moore's vote: it has a ledger for each
 * of its sites. */
static const ka_client *leader(const ka_endpoint_view *v)
{
    const ka_client *leads = NULL;
    uint32_t lead = 0;
    for (uint32_t i = v->endpoint->first_client; i != 0; i = v->clients->at[i - 1].next) {
        const ka_client *c = &v->clients->at[i - 1];
        if (leads != NULL && is_same(c, leads)) {
            lead += c->opened;
        } else if (c->opened > lead) {
            leads = c;
            lead = c->opened - lead;
        } else {
            lead -= c->opened;
        }
    }
    return leads;
}

static uint64_t opened_by(const ka_endpoint_view *v, const ka_client *client)
{
    uint64_t opened = 0;
    for (uint32_t i = v->endpoint->first_client; i != 0; i = v->clients->at[i - 1].next) {
        const ka_client *c = &v->clients->at[i - 1];
        opened += is_same(c, client) ? c->opened : 0;
    }
    return opened;
}

/* 0 where no client opened more than half. */
static uint64_t opened_by_one(const ka_endpoint_view *v, uint64_t all)
{
    const ka_client *leads = leader(v);
    uint64_t opened = leads != NULL ? opened_by(v, leads) : 0;
    return opened * 2 > all ? opened : 0;
}

/* A limit that far away is none. */
enum { FAR_AWAY_HOURS = 24 * 366 };

/* How fast they pile up, and when there are too many. */
static void show_slope(ka_finding *f, const ka_endpoint_view *v)
{
    ka_load load;
    ka_growth_load(&v->endpoint->growth, v->now.time_ns, &load);
    int64_t per_hour = ka_growth_slope(&load);
    int64_t open = load.bins[load.bin_count - 1].open, limit = v->limits->fd_limit;
    if (per_hour == KA_NONE || per_hour <= 0)
        return;
    ka_finding_value(f, "open", open, KA_COUNT);
    ka_finding_value(f, "per_hour", per_hour, KA_COUNT);
    int64_t left = limit > open ? limit - open : 0;
    if (limit <= 0 || left / per_hour >= FAR_AWAY_HOURS)
        return;
    int64_t left_s = left / per_hour * 3600 + left % per_hour * 3600 / per_hour;
    ka_finding_value(f, "fd_limit", limit, KA_COUNT);
    ka_finding_value(f, "limit_reached_in", left_s * KA_SECOND_NS, KA_NS);
}

/* With more of the connections incomplete than this, closes may have been missed. */
enum { DOUBTFUL_PERCENT = 10 };

bool ka_endpoint_rule_growth(const ka_endpoint_view *v, ka_finding *f)
{
    const ka_endpoint *e = v->endpoint;
    ka_growth_sum all, q[4];
    if (!ka_growth_quarters(&e->growth, v->now.time_ns, &all, q) || !grows(v, &all, q))
        return false;
    uint64_t by_one = opened_by_one(v, all.opened);
    /* Where many clients share in it, what is missing is the server's idle timeout. */
    if (by_one == 0)
        f->fault = KA_FAULT_SERVER;
    if (e->doubtful * UINT64_C(100) > e->connections * DOUBTFUL_PERCENT)
        f->failed_gates |= e->doubts;
    show_span(f, "first_syn", "last_syn", &e->opened_at);
    ka_finding_value(f, "span", v->now.time_ns - e->growth.start_ns, KA_NS);
    ka_finding_value(f, "opened", (int64_t)all.opened, KA_COUNT);
    ka_finding_value(f, "closed", (int64_t)all.closed, KA_COUNT);
    ka_finding_value(f, "requests_first_half", (int64_t)(q[0].requests + q[1].requests), KA_COUNT);
    ka_finding_value(f, "requests_second_half", (int64_t)(q[2].requests + q[3].requests), KA_COUNT);
    ka_finding_value(f, "by_one_client", (int64_t)by_one, KA_COUNT);
    show_slope(f, v);
    return true;
}

/* ---- connection-imbalance ---- */

bool ka_endpoint_rule_imbalance(const ka_endpoint_view *v, ka_finding *f)
{
    const ka_endpoint *e = v->endpoint;
    const ka_thresholds *limits = v->limits;
    if (v->set == NULL || v->set->servers < limits->imbalance_servers ||
        e->site_requests < (uint64_t)limits->imbalance_requests)
        return false;
    if (e->site_requests <= v->set->requests_median * (uint64_t)limits->imbalance_factor ||
        e->site_requests < e->site_connections * (uint64_t)limits->imbalance_reuse)
        return false;
    show_span(f, "first_request", "last_response", &e->active);
    ka_finding_value(f, "requests", (int64_t)e->site_requests, KA_COUNT);
    ka_finding_value(f, "connections", (int64_t)e->site_connections, KA_COUNT);
    ka_finding_value(f, "servers", v->set->servers, KA_COUNT);
    ka_finding_value(f, "requests_median", (int64_t)v->set->requests_median, KA_COUNT);
    return true;
}
