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
static const pair_rule rules[] = {
    {KA_GATEWAY_ERROR_FROM_RACE, ka_pair_rule_gateway_error},
    {KA_GATEWAY_SILENT_CLOSE, ka_pair_rule_gateway_silent_close},
    {KA_GATEWAY_HANG, ka_pair_rule_gateway_hang},
};

/* As rules.c does with the gates of a connection: what is doubtful is a note at most. */
static void lower(ka_finding *f)
{
    if (f->failed_gates != 0 && f->severity > KA_NOTE)
        f->severity = KA_NOTE;
}

static void place(const ka_pair_view *v, ka_finding *f)
{
    f->has_stream = f->has_pair = true;
    f->stream = v->down->stream;
    f->client = v->down->client;
    f->server = v->down->server;
    f->upstream = (ka_pair_end){v->up->stream, v->up->client, v->up->server};
    f->failed_gates |= v->up->unhappy.gates;
    if (v->up->ambiguous)
        f->failed_gates |= KA_GATE_LINK;
}

static void ask(const ka_pair_view *v, const ka_sink *sink)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        ka_finding f;
        ka_finding_init(&f, rules[i].id);
        if (!rules[i].judge(v, &f))
            continue;
        place(v, &f);
        lower(&f);
        sink->finding(sink->user, &f);
        return;
    }
}

void ka_pair_rules_run(const ka_links *links, const ka_thresholds *limits, ka_moment now, const ka_sink *sink)
{
    const ka_legs *legs = &links->legs;
    for (uint32_t i = 1; i <= legs->room && sink->finding != NULL; i++) {
        const ka_leg *down = &legs->ring[(legs->serial + i) & (legs->room - 1)];
        if (!ka_links_is_proxied(links, down))
            continue;
        ka_pair_view v = {links, down, ka_legs_find(legs, down->attempt), limits, now};
        ask(&v, sink);
    }
}
