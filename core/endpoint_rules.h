/* endpoint_rules.h - const ledgers of a server in, findings out. One table, pure functions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Asked at the end of the capture, when everything is told. A new diagnosis of many connections is a row in
 * findings.def, a function here and a row in the table of endpoint_rules.c.
 */
#ifndef KA_ENDPOINT_RULES_H
#define KA_ENDPOINT_RULES_H

#include "endpoint.h"
#include "server_set.h"

/* A const look at one server. */
typedef struct ka_endpoint_view {
    const ka_endpoint *endpoint;
    const ka_clients *clients;
    const ka_server_set *set; /* when it is the busiest server of one; NULL */
    const ka_thresholds *limits;
    ka_moment now;
    /* For rules about one of them: */
    const ka_client *client;
    const ka_mass_event *event;
} ka_endpoint_view;

/* Judges; fills *out (initialised to the catalogue's row) and returns true when the diagnosis holds. */
typedef bool ka_endpoint_rule_fn(const ka_endpoint_view *view, ka_finding *out);

/* endpoint_rules_server.c: how the server ends connections */
ka_endpoint_rule_fn ka_endpoint_rule_mass_close, ka_endpoint_rule_advert_mismatch, ka_endpoint_rule_evicted,
    ka_endpoint_rule_hidden_limit, ka_endpoint_rule_h2_limit;
/* endpoint_rules_client.c: how its clients use theirs */
ka_endpoint_rule_fn ka_endpoint_rule_abandoned, ka_endpoint_rule_churn, ka_endpoint_rule_growth,
    ka_endpoint_rule_imbalance;

/* Asks every rule about that server and tells the sink what holds. */
void ka_endpoint_rules_run(const ka_endpoint_view *view, const ka_sink *sink);

#endif
