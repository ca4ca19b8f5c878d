/* pair_rules_orphan.c - what a proxy does with a request, and then with its connection, when the client has
 * gone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "orphan.h"
#include "pair_rules.h"

/* How long the proxy's request went on without its client. */
static int64_t went_on_ns(const ka_pair_view *v)
{
    const ka_leg *up = v->up;
    int64_t until_ns = v->now.time_ns;
    if (up->status != 0)
        until_ns = up->response_end.time_ns;
    else if (up->closed.frame != 0)
        until_ns = up->closed.time_ns;
    return until_ns - v->down->closed.time_ns;
}

static void show_request(const ka_pair_view *v, ka_finding *f)
{
    const ka_leg *down = v->down, *up = v->up;
    f->at = down->closed;
    ka_finding_frame(f, "downstream_request", down->request);
    ka_finding_frame(f, "upstream_request", up->request);
    ka_finding_frame(f, down->closed_how == KA_HOW_RST ? "client_rst" : "client_fin", down->closed);
    if (up->status != 0)
        ka_finding_frame(f, "upstream_response", up->response);
    ka_finding_value(f, "went_on", went_on_ns(v), KA_NS);
    ka_finding_value(f, "still_open", up->status == 0 && up->closed.frame == 0 ? 1 : 0, KA_COUNT);
    ka_finding_value(f, "request_number", down->number, KA_COUNT);
    ka_finding_value(f, "upstream_stream", up->stream, KA_COUNT);
}

static void show_close(const ka_pair_life *life, ka_finding *f)
{
    bool by_rst = life->closed_how == KA_HOW_RST;
    ka_finding_frame(f, by_rst ? "upstream_rst" : "upstream_fin", life->closed);
}

/* It was answered in time, but the proxy has lost the connection: it neither uses nor closes it. A pool has
 * no reason to open another one while one is free; a worker may, which has a pool of its own. So the other
 * connections must never have lain idle for so long, and one alone proves little. */
static bool left_behind(const ka_pair_view *v, ka_finding *f)
{
    const ka_links *links = v->links;
    const ka_pair *pair = ka_pairs_find(&links->pairs, v->down->stream, v->up->stream);
    int64_t unused_ns = pair != NULL ? ka_orphan_unused_ns(links, v->up, pair) : KA_NONE;
    if (unused_ns <= v->limits->orphan_ns)
        return false;
    const ka_route_keeping *keeping = ka_routes_keeping(&links->routes, pair->route);
    if (keeping->reused < v->limits->orphan_others || keeping->longest_ns >= unused_ns ||
        pair->opened < v->limits->orphan_others)
        return false;
    show_request(v, f);
    show_close(&pair->life[KA_UPSTREAM], f);
    ka_finding_value(f, "unused", unused_ns, KA_NS);
    ka_finding_value(f, "opened", pair->opened, KA_COUNT);
    ka_finding_value(f, "left", keeping->left, KA_COUNT);
    f->failed_gates |= pair->life[KA_UPSTREAM].gates & KA_PAIR_UNSURE;
    if (keeping->left < v->limits->orphan_others && f->severity > KA_NOTE)
        f->severity = KA_NOTE;
    return true;
}

bool ka_pair_rule_upstream_orphan(const ka_pair_view *v, ka_finding *f)
{
    int64_t on_ns = went_on_ns(v);
    if (on_ns < 0 || !ka_orphan_is(v->links, v->down, v->up, v->limits->half_close_ns))
        return false;
    if (on_ns <= v->limits->orphan_ns)
        return left_behind(v, f);
    show_request(v, f);
    return true;
}
