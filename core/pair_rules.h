/* pair_rules.h - both sides of a proxy in, findings out. One table, pure functions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Asked at the end of the capture, when all connections are judged. A new diagnosis of pairs is a row in
 * findings.def, a function here and a row in the table of pair_rules.c.
 */
#ifndef KA_PAIR_RULES_H
#define KA_PAIR_RULES_H

#include "finding.h"
#include "link.h"

/* A const look at one request that a proxy sent on, or at one pair of its connections. */
typedef struct ka_pair_view {
    const ka_links *links;
    const ka_leg *down;    /* NULL: of a pair */
    const ka_leg *up;      /* its newest attempt */
    const ka_pair *pair;   /* NULL: of a request */
    const ka_route *route; /* of the pair, NULL: it has none; alone: a rule about all that went this way */
    const ka_thresholds *limits;
    ka_moment now;
} ka_pair_view;

/* Judges; fills *out (blank but for the catalogue's row) and returns true when the diagnosis holds; else
 * leaves it untouched. */
typedef bool ka_pair_rule_fn(const ka_pair_view *view, ka_finding *out);

/* Requests, challenges or logins may lie in what the capture does not hold of a connection. */
#define KA_PAIR_UNSURE                                                                                       \
    (KA_GATE_ONE_SIDED | KA_GATE_GAP | KA_GATE_SNAPLEN | KA_GATE_UNFRAMED | KA_GATE_CLOCK |                  \
     KA_GATE_LOST_STATE)

/* pair_rules_gateway.c: what the client sees of a request lost behind the proxy */
ka_pair_rule_fn ka_pair_rule_gateway_error, ka_pair_rule_gateway_silent_close, ka_pair_rule_gateway_hang;
/* pair_rules_fields.c: what a proxy must not hand on */
ka_pair_rule_fn ka_pair_rule_hop_by_hop;

/* pair_rules_orphan.c: what goes on when the client has gone */
ka_pair_rule_fn ka_pair_rule_upstream_orphan;
/* pair_rules_life.c: how the two connections end */
ka_pair_rule_fn ka_pair_rule_blind_http10, ka_pair_rule_half_closed;
/* pair_rules_login.c: logins that belong to one connection */
ka_pair_rule_fn ka_pair_rule_auth_bound_broken;
/* pair_rules_route.c: what only many pairs show */
ka_pair_rule_fn ka_pair_rule_persistence_coupled, ka_pair_rule_idle_order;

/* Asks every rule of every proxied request and of every pair, and tells the sink what holds. */
void ka_pair_rules_run(const ka_links *links, const ka_thresholds *limits, ka_moment now,
                       const ka_sink *sink);

#endif
