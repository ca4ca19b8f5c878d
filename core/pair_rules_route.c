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

/* A proxy that gives up some sooner, as HAProxy does with those it has too many of, gives up few. */
static bool is_inverted(const ka_route_idle *idle, const ka_thresholds *limits)
{
    return is_timer(idle, limits) && idle->by_proxy < idle->by_server;
}

/* Of the server; else of the one of its sites with most closes: each may have a timer of its own. */
static bool find_inverted(const ka_pair_view *v, ka_route_idle *out)
{
    const ka_routes *routes = &v->links->routes;
    ka_route_idle idle = ka_routes_idle(routes, v->route);
    uint32_t most = 0;
    if (is_inverted(&idle, v->limits)) {
        *out = idle;
        return true;
    }
    for (unsigned site = 1; site < KA_ROUTE_SITES; site++) {
        idle = ka_routes_idle_at(routes, v->route, site);
        if (!is_inverted(&idle, v->limits) || idle.by_server <= most)
            continue;
        most = idle.by_server;
        *out = idle;
    }
    return most > 0;
}

/* No failure is needed: whoever closes first decides, and here the server does. */
bool ka_pair_rule_idle_order(const ka_pair_view *v, ka_finding *f)
{
    ka_route_idle idle;
    if (!ka_routes_is_first(&v->links->routes, v->route) || !find_inverted(v, &idle))
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

bool ka_pair_rule_persistence_coupled(const ka_pair_view *v, ka_finding *f)
{
    const ka_route_coupling *seen = &v->route->coupling;
    if (seen->coupled < v->limits->coupled_pairs || seen->others > 0)
        return false;
    f->server = v->route->in;
    f->at = seen->last;
    ka_finding_frame(f, "first_close", seen->first);
    ka_finding_frame(f, "last_close", seen->last);
    ka_finding_value(f, "pairs", seen->coupled, KA_COUNT);
    return true;
}
