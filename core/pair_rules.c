/* pair_rules.c - the table of rules about both sides of a proxy.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "pair_rules.h"

typedef struct pair_rule {
    ka_finding_id id;
    ka_pair_rule_fn *judge;
} pair_rule;

/* Of one request the first that holds. */
static const pair_rule request_rules[] = {
    {KA_GATEWAY_ERROR_FROM_RACE, ka_pair_rule_gateway_error},
    {KA_GATEWAY_SILENT_CLOSE, ka_pair_rule_gateway_silent_close},
    {KA_GATEWAY_HANG, ka_pair_rule_gateway_hang},
    {KA_UPSTREAM_ORPHAN, ka_pair_rule_upstream_orphan},
};

/* Of one pair of connections all that hold. */
static const pair_rule pair_rules[] = {
    {KA_HOP_BY_HOP_FORWARDED, ka_pair_rule_hop_by_hop},
    {KA_BLIND_HTTP10_PROXY, ka_pair_rule_blind_http10},
    {KA_PAIR_HALF_CLOSED, ka_pair_rule_half_closed},
    {KA_AUTH_BOUND_BROKEN, ka_pair_rule_auth_bound_broken},
};

/* Of one way through a proxy all that hold. */
static const pair_rule route_rules[] = {
    {KA_IDLE_ORDER_INVERTED, ka_pair_rule_idle_order},
    {KA_PERSISTENCE_COUPLED, ka_pair_rule_persistence_coupled},
};

/* As rules.c does with the gates of a connection: what is doubtful is a note at most. */
static void lower(ka_finding *f)
{
    if (f->failed_gates != 0 && f->severity > KA_NOTE)
        f->severity = KA_NOTE;
}

/* A finding about a server, or the proxy as one, that is about no connection: the rule says which. */
static void place_nowhere(ka_finding *f)
{
    f->stream = 0;
    f->client = f->server = f->proxied_for = (ka_address){{0}, 0, 0};
}

static void place(const ka_pair_view *v, ka_finding *f)
{
    bool of_request = v->down != NULL;
    f->has_stream = f->has_pair = true;
    f->stream = of_request ? v->down->stream : v->pair->downstream.stream;
    f->client = of_request ? v->down->client : v->pair->downstream.client;
    f->server = of_request ? v->down->server : v->pair->downstream.server;
    f->upstream = of_request ? (ka_pair_end){v->up->stream, v->up->client, v->up->server} : v->pair->upstream;
    if (of_request)
        f->failed_gates |= v->up->unhappy.gates;
    if (of_request ? v->up->ambiguous : ka_pair_confidence(v->pair) == KA_LINK_LOW)
        f->failed_gates |= KA_GATE_LINK;
}

/* Times of a clock that is wrong were set right for comparisons; a finding's own is as captured. */
static void as_captured(const ka_pair_view *v, ka_finding *f)
{
    bool upstream = false;
    for (unsigned i = 0; i < f->frame_count; i++) {
        char side = f->frames[i].role[0]; /* "upstream_...", "proxy_..." */
        upstream = upstream || (f->frames[i].at.frame == f->at.frame && (side == 'u' || side == 'p'));
    }
    if (v->down != NULL)
        f->at.time_ns += upstream ? v->up->offset_ns : v->down->offset_ns;
    else
        f->at.time_ns += v->pair->offset_ns[upstream ? KA_UPSTREAM : KA_DOWNSTREAM];
}

static bool ask(const pair_rule *rule, const ka_pair_view *v, const ka_sink *sink)
{
    ka_finding f;
    ka_finding_init(&f, rule->id);
    place_nowhere(&f);
    if (!rule->judge(v, &f))
        return false;
    if (v->down != NULL || v->pair != NULL) {
        place(v, &f);
        as_captured(v, &f);
    }
    lower(&f);
    sink->finding(sink->user, &f);
    return true;
}

static void ask_of_request(const ka_pair_view *v, const ka_sink *sink)
{
    for (size_t i = 0; i < sizeof request_rules / sizeof request_rules[0]; i++) {
        if (ask(&request_rules[i], v, sink))
            return;
    }
}

static void ask_all(const pair_rule *rules, size_t count, const ka_pair_view *v, const ka_sink *sink)
{
    for (size_t i = 0; i < count; i++)
        ask(&rules[i], v, sink);
}

static const ka_route *route_of(const ka_links *links, const ka_pair *pair)
{
    return pair->route != 0 ? &links->routes.at[pair->route - 1] : NULL;
}

static void run_pairs(ka_pair_view *v, const ka_sink *sink)
{
    for (uint32_t i = 0; i < v->links->pairs.count; i++) {
        v->pair = &v->links->pairs.at[i];
        v->route = route_of(v->links, v->pair);
        ask_all(pair_rules, sizeof pair_rules / sizeof pair_rules[0], v, sink);
    }
    v->pair = NULL;
    for (uint32_t i = 0; i < v->links->routes.count; i++) {
        v->route = &v->links->routes.at[i];
        ask_all(route_rules, sizeof route_rules / sizeof route_rules[0], v, sink);
    }
}

void ka_pair_rules_run(const ka_links *links, const ka_thresholds *limits, ka_moment now, const ka_sink *sink)
{
    const ka_legs *legs = &links->legs;
    ka_pair_view v = {.links = links, .limits = limits, .now = now};
    for (uint32_t i = 1; i <= legs->room && sink->finding != NULL; i++) {
        v.down = &legs->ring[(legs->serial + i) & (legs->room - 1)];
        if (!ka_links_is_proxied(links, v.down))
            continue;
        v.up = ka_legs_find(legs, v.down->attempt);
        ask_of_request(&v, sink);
    }
    v.down = v.up = NULL;
    if (sink->finding != NULL)
        run_pairs(&v, sink);
}
