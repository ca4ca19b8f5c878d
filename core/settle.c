/* settle.c - the end of a story: a connection's record and findings, and the report at the end of the
 * capture.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "audit.h"
#include "endpoint_rules.h"
#include "memory.h"
#include "orphan.h"
#include "pair_rules.h"
#include "replay.h"
#include "rules.h"

/* Findings of one connection while it is judged; the connection's own stay untouched. */
typedef struct judged {
    const ka_allocator *allocator;
    ka_noted *list;
} judged;

static ka_status add(void *user, const ka_finding *f)
{
    judged *j = user;
    ka_noted *noted = ka_memory_take(j->allocator, sizeof *noted);
    if (noted == NULL)
        return KA_NO_MEMORY;
    noted->finding = *f;
    noted->next = j->list;
    j->list = noted;
    return KA_OK;
}

/* One finding per id and connection: what a message showed and the end shows again is counted. */
static ka_status add_or_count(void *user, const ka_finding *f)
{
    judged *j = user;
    ka_noted *noted = ka_noted_find(j->list, f->id);
    if (noted == NULL)
        return add(user, f);
    ka_finding_again(&noted->finding);
    return KA_OK;
}

static void clear(judged *j)
{
    while (j->list != NULL) {
        ka_noted *noted = j->list;
        j->list = noted->next;
        ka_memory_give(j->allocator, noted);
    }
}

/* What the whole story, or both sides of a proxy, shows better than a message did. */
static void drop_replaced(const ka_view *v, const ka_links *links, judged *j)
{
    for (ka_noted **at = &j->list; *at != NULL;) {
        ka_noted *noted = *at;
        if (!ka_rules_is_replaced(j->list, noted->finding.id) &&
            !ka_audit_pairs_tell(links, v, noted->finding.id)) {
            at = &noted->next;
            continue;
        }
        *at = noted->next;
        ka_memory_give(j->allocator, noted);
    }
}

/* When a request came the other direction may not have been seen yet. */
static void forgive_one_sided(const ka_view *v, ka_finding *f)
{
    uint32_t others = f->failed_gates & ~(uint32_t)KA_GATE_ONE_SIDED;
    if (others != 0 && !(v->failed_gates & KA_GATE_ONE_SIDED))
        f->failed_gates = others;
}

static ka_status collect(const ka_view *v, const ka_links *links, judged *j)
{
    for (const ka_noted *noted = v->connection->noted; noted != NULL; noted = noted->next) {
        if (add(j, &noted->finding) != KA_OK)
            return KA_NO_MEMORY;
        forgive_one_sided(v, &j->list->finding);
    }
    const ka_rules_out out = {j, add_or_count};
    if (ka_rules_run(v, KA_ON_SETTLE, &out) != KA_OK)
        return KA_NO_MEMORY;
    drop_replaced(v, links, j);
    return ka_rules_link(v, &j->list, &out);
}

static void tell_unanswered(const ka_view *v, const ka_sink *sink)
{
    const ka_request *oldest = ka_exchanges_oldest(v->exchanges);
    if (sink->exchange == NULL || oldest == NULL)
        return;
    const ka_request *r = oldest;
    do {
        ka_exchange_record record = {.stream = v->connection->stream,
                                     .number = r->number,
                                     .request = r->first_at,
                                     .request_end = r->end_at,
                                     .idle_before_ns = r->idle_before_ns,
                                     .timeout_s = KA_NONE,
                                     .max = KA_NONE};
        memcpy(record.method, r->method, sizeof record.method);
        sink->exchange(sink->user, &record);
        r = r->next;
    } while (r != oldest);
}

static void tell(const ka_view *v, const ka_sink *sink, const ka_noted *list, ka_record *record)
{
    tell_unanswered(v, sink);
    for (const ka_noted *noted = list; noted != NULL; noted = noted->next) {
        record->finding_mask[noted->finding.id / 64] |= UINT64_C(1) << noted->finding.id % 64;
        record->finding_severity[noted->finding.id] = (uint8_t)noted->finding.severity;
    }
    if (sink->connection != NULL)
        sink->connection(sink->user, record);
    for (const ka_noted *noted = list; noted != NULL && sink->finding != NULL; noted = noted->next)
        sink->finding(sink->user, &noted->finding);
}

/* What was lowered by a gate makes no later one graver. */
static bool is_sure(const ka_noted *list, ka_finding_id id)
{
    const ka_noted *noted = ka_noted_find(list, id);
    return noted != NULL && noted->finding.severity > KA_NOTE;
}

static const ka_address *client_of(const ka_view *v)
{
    return &v->connection->ends[v->connection->client];
}

/* What later connections of this server are judged by. */
static void learn_habits(const ka_view *v, const ka_noted *list, ka_endpoint *endpoint)
{
    int64_t given_up_ns = ka_rules_given_up_untold(v);
    ka_unit_sign sign = ka_rules_unit_sign(v);
    endpoint->unannounced += is_sure(list, KA_CLOSE_UNANNOUNCED) ? 1 : 0;
    if (given_up_ns != KA_NONE)
        endpoint->given_up_ns = given_up_ns;
    if (sign != KA_UNIT_SILENT)
        ka_endpoint_unit_seen(endpoint, client_of(v), sign == KA_UNIT_MISREAD, v->exchanges->completed > 1);
}

/* NULL: it has no ledger. */
static ka_client *ledger_of(const ka_view *v, const ka_endpoints *endpoints)
{
    uint32_t ledger = v->connection->ledger;
    return ledger != 0 ? &endpoints->clients.at[ledger - 1] : NULL;
}

/* What is known of the server and the client from other connections. */
static void recall(ka_view *v, const ka_endpoints *endpoints, const ka_endpoint *endpoint)
{
    const ka_client *client = ledger_of(v, endpoints);
    const ka_unit_watch *unit = ka_endpoint_by_unit(endpoint, client_of(v));
    v->mass_closed = v->close.by == KA_SIDE_SERVER && ka_endpoint_mass_closed(endpoint, v->close.at);
    v->server_known = true;
    v->server_heard_ns = endpoint->heard_ns;
    v->repeated = endpoint->unannounced;
    v->by_unit = unit != NULL ? unit->count : 0;
    v->by_unit_reused = unit != NULL && unit->reused;
    v->given_up_ns = endpoint->given_up_ns;
    v->patience = client != NULL ? &client->patience : NULL;
}

static ka_status learn(ka_endpoints *endpoints, ka_endpoint *endpoint, const ka_view *v,
                       const ka_record *record)
{
    ka_client *client = ledger_of(v, endpoints);
    ka_status status = ka_endpoint_add(endpoint, record, v->capture_ended && v->close.by == KA_SIDE_NONE,
                                       ka_rules_is_own_close(v) && !v->connection->tunnelled);
    ka_endpoint_site_add(endpoint, v->connection->site, record);
    status = ka_endpoints_spare(endpoints, status);
    return status == KA_OK ? ka_endpoints_spare(endpoints, ka_endpoint_learn(endpoint, client, v)) : status;
}

/* Where what a judged connection shows beside others is added: the audit's own, or the report's copies. */
typedef struct beside {
    ka_endpoints *endpoints;
    ka_links *links;
} beside;

/* Judges what the view shows, tells the sink, and adds to the server's statistics (NULL: it has none). */
static ka_status judge(const ka_audit *a, ka_view *v, const ka_sink *sink, beside others,
                       ka_endpoint *endpoint)
{
    ka_endpoints *endpoints = others.endpoints;
    judged j = {&a->config.allocator, NULL};
    ka_record record;

    v->final = true;
    ka_view_close(v);
    v->server_heard_ns = KA_NONE;
    if (endpoint != NULL)
        recall(v, endpoints, endpoint);
    if (v->mass_closed)
        v->failed_gates |= KA_GATE_MASS_CLOSE;
    if (ka_view_cut_short(v))
        v->failed_gates |= KA_GATE_SHORT_TAIL;
    ka_status status = collect(v, others.links, &j);
    if (status == KA_OK) {
        ka_view_record(v, &record);
        if (a->config.encapsulation != NULL)
            record.encapsulation =
                a->config.encapsulation(a->config.encapsulation_user, v->connection->owner);
        tell(v, sink, j.list, &record);
        status = ka_audit_pairs_judged(others.links, v, j.list);
        if (endpoint != NULL && status == KA_OK) {
            if (v->connection->h2 != NULL && v->connection->h2->by_server != NULL)
                ka_endpoint_goaway(endpoint, v->limits, v->connection->h2->by_server);
            if (!v->connection->tunnelled)
                learn_habits(v, j.list, endpoint);
            status = learn(endpoints, endpoint, v, &record);
        }
    }
    clear(&j);
    return status;
}

/* Dropped, or its ports reused. */
static void ended_unseen(const ka_audit *a, ka_connection *c)
{
    ka_endpoint_closed(c->endpoint);
    ka_growth_count(&c->endpoint->growth, a->now.time_ns, KA_GROWTH_CLOSED);
}

ka_status ka_audit_judge(ka_audit *a, ka_connection *c, uint32_t failed_gates)
{
    ka_view v;
    ka_endpoint *endpoint = c->endpoint;
    if (endpoint == NULL && ka_endpoints_find(&a->endpoints, &c->ends[!c->client], false, &endpoint) != KA_OK)
        return KA_NO_MEMORY;
    if (c->endpoint != NULL && c->transport.half[0].ending == NULL && c->transport.half[1].ending == NULL)
        ended_unseen(a, c);
    ka_view_init(c, &a->config.thresholds, a->now, a->tick_ns, &v);
    v.failed_gates |= failed_gates;
    return judge(a, &v, &a->config.sink, (beside){&a->endpoints, &a->links}, endpoint);
}

/* ---- The report at the end of the capture ---- */

static void tell_endpoint(const ka_audit *a, const ka_endpoint *e, const ka_clients *clients,
                          const ka_sink *sink)
{
    ka_endpoint_record record;
    ka_site_record sites[KA_SITES_MAX];
    ka_endpoint_record_of(e, clients, &a->config.thresholds, a->now, &record);
    ka_endpoint_sites_of(e, &a->config.thresholds, sites, &record);
    sink->endpoint(sink->user, &record);
}

/* Of endpoints that are copies: their sites are joined. */
static ka_status tell_endpoints(const ka_audit *a, ka_endpoints *endpoints, const ka_sink *sink)
{
    ka_server_set *sets;
    for (uint32_t i = 0; i < endpoints->count; i++) {
        if (ka_endpoint_join_sites(endpoints->at[i]) != KA_OK)
            return KA_NO_MEMORY;
    }
    if (ka_server_sets(endpoints, &sets) != KA_OK)
        return KA_NO_MEMORY;
    for (uint32_t i = 0; i < endpoints->count; i++) {
        const ka_endpoint *e = endpoints->at[i];
        ka_endpoint_view v = {.endpoint = e,
                              .clients = &endpoints->clients,
                              .set = sets[i].servers > 0 ? &sets[i] : NULL,
                              .limits = &a->config.thresholds,
                              .now = a->now};
        ka_endpoint_rules_run(&v, sink);
        if (sink->endpoint == NULL)
            continue;
        tell_endpoint(a, e, &endpoints->clients, sink);
    }
    ka_memory_give(&a->config.allocator, sets);
    return KA_OK;
}

static ka_status tell_pairs(const ka_audit *a, ka_links *links, const ka_sink *sink)
{
    if (ka_links_replay(links) != KA_OK || ka_links_end(links) != KA_OK)
        return KA_NO_MEMORY;
    ka_links_tell_lives(links);
    ka_links_couple(links, a->config.thresholds.gateway_answer_ns);
    if (ka_orphans_compare(links, &a->config.thresholds) != KA_OK)
        return KA_NO_MEMORY;
    ka_pair_rules_run(links, &a->config.thresholds, a->now, sink);
    for (uint32_t i = 0; i < links->pairs.count && sink->pair != NULL; i++) {
        ka_pair_record record;
        ka_pair_record_of(&links->pairs.at[i], &record);
        sink->pair(sink->user, &record);
    }
    return KA_OK;
}

static ka_status report_open(const ka_audit *a, const ka_connection *c, beside others, const ka_sink *sink)
{
    ka_view v;
    ka_endpoints *endpoints = others.endpoints;
    ka_endpoint *endpoint = NULL;
    if (c->endpoint != NULL)
        endpoint = endpoints->at[c->endpoint->index];
    else if (ka_endpoints_find(endpoints, &c->ends[!c->client], false, &endpoint) != KA_OK)
        return KA_NO_MEMORY;
    ka_view_init(c, &a->config.thresholds, a->now, a->tick_ns, &v);
    v.capture_ended = true;
    return judge(a, &v, sink, others, endpoint);
}

static ka_status report_all(const ka_audit *a, beside others, const ka_sink *sink)
{
    ka_status status = KA_OK;
    for (const ka_connection *c = a->oldest; c != NULL && status == KA_OK; c = c->newer)
        status = report_open(a, c, others, sink);
    if (status == KA_OK)
        status = tell_endpoints(a, others.endpoints, sink);
    return status == KA_OK ? tell_pairs(a, others.links, sink) : status;
}

ka_status ka_audit_report(const ka_audit *a, const ka_sink *sink)
{
    ka_endpoints endpoints;
    ka_links links;
    if (ka_endpoints_copy(&a->endpoints, &a->config.allocator, &endpoints) != KA_OK)
        return KA_NO_MEMORY;
    ka_status status = ka_links_copy(&a->links, &links);
    if (status == KA_OK) {
        links.sink = sink;
        status = report_all(a, (beside){&endpoints, &links}, sink);
        ka_links_fini(&links);
    }
    ka_endpoints_fini(&endpoints);
    return status;
}
