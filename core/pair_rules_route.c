/* pair_rules_route.c - what only many connections that went one way through a proxy show.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "pair_rules.h"

/* ---- idle-order-inverted ---- */

/* Closes of one timer lie near to each other. */
static bool is_timer(const ka_route_idle *idle, const ka_thresholds *limits)
{
    return idle->by_server >= limits->mismatch_count &&
           idle->server_max_ns - idle->server_min_ns <= limits->mismatch_spread_ns;
}

/* No failure is needed: whoever closes first decides, and here the server does. A proxy that gives up some sooner, as
 * HAProxy does with those it has too many of, gives up few. */
bool ka_pair_rule_idle_order(const ka_pair_view *v, ka_finding *f)
{
    if (!ka_routes_is_first(&v->links->routes, v->route))
        return false;
    ka_route_idle idle = ka_routes_idle(&v->links->routes, v->route);
    if (!is_timer(&idle, v->limits) || idle.by_proxy >= idle.by_server)
        return false;
    f->server = v->route->out;
    f->client = v->route->from;
    f->at = idle.last;
    ka_finding_frame(f, "first_close", idle.first);
    ka_finding_frame(f, "last_close", idle.last);
    ka_finding_value(f, "closes", idle.by_server, KA_COUNT);
    ka_finding_value(f, "by_proxy", idle.by_proxy, KA_COUNT);
    ka_finding_value(f, "idle_min", idle.server_min_ns, KA_NS);
    ka_finding_value(f, "idle_max", idle.server_max_ns, KA_NS);
    return true;
}

/* ---- persistence-coupled ---- */

typedef struct coupling {
    uint32_t coupled;
    uint32_t others;
    ka_moment first, last; /* of the closes upstream */
} coupling;

static bool is_alone(const ka_pairs *pairs, const ka_pair *pair, unsigned which, uint32_t stream)
{
    const ka_pair *first = ka_pairs_of(pairs, which, stream);
    return first == pair && ka_pairs_next(pairs, first, which) == NULL;
}

/* One for one, and the proxy closes its own because its client has closed. */
static bool is_coupled(const ka_pair_view *v, const ka_pair *pair)
{
    const ka_pairs *pairs = &v->links->pairs;
    const ka_pair_life *down = &pair->life[KA_DOWNSTREAM], *up = &pair->life[KA_UPSTREAM];
    if (!is_alone(pairs, pair, KA_DOWNSTREAM, pair->downstream.stream) ||
        !is_alone(pairs, pair, KA_UPSTREAM, pair->upstream.stream))
        return false;
    int64_t after_ns = up->closed.time_ns - down->closed.time_ns;
    return down->closed_by == KA_SIDE_CLIENT && up->closed_by == KA_SIDE_CLIENT && after_ns >= -KA_MILLISECOND_NS &&
           after_ns <= v->limits->gateway_answer_ns + down->rtt_ns + up->rtt_ns;
}

static coupling coupling_of(const ka_pair_view *v)
{
    coupling out = {0, 0, {0, 0}, {0, 0}};
    uint32_t number = (uint32_t)(v->route - v->links->routes.at) + 1;
    for (uint32_t i = 0; i < v->links->pairs.count; i++) {
        const ka_pair *pair = &v->links->pairs.at[i];
        if (pair->route != number)
            continue;
        if (!is_coupled(v, pair)) {
            out.others++;
            continue;
        }
        ka_moment at = pair->life[KA_UPSTREAM].closed;
        if (out.coupled++ == 0)
            out.first = at;
        out.last = at;
    }
    return out;
}

bool ka_pair_rule_persistence_coupled(const ka_pair_view *v, ka_finding *f)
{
    coupling seen = coupling_of(v);
    if (seen.coupled < v->limits->coupled_pairs || seen.others > 0)
        return false;
    f->server = v->route->in;
    f->at = seen.last;
    ka_finding_frame(f, "first_close", seen.first);
    ka_finding_frame(f, "last_close", seen.last);
    ka_finding_value(f, "pairs", seen.coupled, KA_COUNT);
    return true;
}
