/* endpoint_rules.c - the table of rules about servers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "endpoint_rules.h"

#include <string.h>

#include "finding.h"

typedef enum scope { ONCE, EACH_EVENT, EACH_CLIENT } scope;

typedef struct endpoint_rule {
    ka_finding_id id;
    scope about;
    ka_endpoint_rule_fn *judge;
} endpoint_rule;

/* In the order in which they are told. */
static const endpoint_rule rules[] = {
    {KA_MASS_CLOSE, EACH_EVENT, ka_endpoint_rule_mass_close},
    {KA_ADVERT_MISMATCH, ONCE, ka_endpoint_rule_advert_mismatch},
    {KA_EVICTED_UNDER_PRESSURE, ONCE, ka_endpoint_rule_evicted},
    {KA_HIDDEN_LIMIT, ONCE, ka_endpoint_rule_hidden_limit},
    {KA_H2_REQUEST_LIMIT, ONCE, ka_endpoint_rule_h2_limit},
    {KA_POOL_GROWTH, ONCE, ka_endpoint_rule_growth},
    {KA_CONNECTION_IMBALANCE, ONCE, ka_endpoint_rule_imbalance},
    {KA_NO_REUSE_CHURN, EACH_CLIENT, ka_endpoint_rule_churn},
    {KA_ABANDONED_CONNECTION, EACH_CLIENT, ka_endpoint_rule_abandoned},
};

/* As rules.c does with the gates of a connection: what is doubtful is a note at most. */
static void lower(ka_finding *f)
{
    if (f->failed_gates != 0 && f->severity > KA_NOTE)
        f->severity = KA_NOTE;
}

static void ask(const endpoint_rule *r, const ka_endpoint_view *v, const ka_sink *sink)
{
    ka_finding f;
    ka_finding_init(&f, r->id);
    f.stream = 0;
    f.server = v->endpoint->server;
    f.client = (ka_address){{0}, 0, 0};
    if (v->client != NULL) {
        memcpy(f.client.ip, v->client->key.ip, sizeof f.client.ip);
        f.client.version = (uint8_t)v->client->key.version;
    }
    if (!r->judge(v, &f))
        return;
    lower(&f);
    sink->finding(sink->user, &f);
}

void ka_endpoint_rules_run(const ka_endpoint_view *view, const ka_sink *sink)
{
    const ka_mass_watch *watch = view->endpoint->watch;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0] && sink->finding != NULL; i++) {
        ka_endpoint_view v = *view;
        if (rules[i].about == ONCE)
            ask(&rules[i], &v, sink);
        for (uint32_t k = 0; rules[i].about == EACH_EVENT && watch != NULL && k < watch->event_count; k++) {
            v.event = &watch->events[k];
            ask(&rules[i], &v, sink);
        }
        uint32_t next = rules[i].about == EACH_CLIENT ? v.endpoint->first_client : 0;
        for (; next != 0; next = v.client->next) {
            v.client = &v.clients->at[next - 1];
            ask(&rules[i], &v, sink);
        }
    }
}
