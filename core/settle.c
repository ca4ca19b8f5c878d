/* settle.c - the end of a story: a connection's record and findings, and the report at the end of the
 * capture.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "audit.h"
#include "memory.h"
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
    for (ka_noted *noted = j->list; noted != NULL; noted = noted->next) {
        if (noted->finding.id == f->id) {
            ka_finding_again(&noted->finding);
            return KA_OK;
        }
    }
    return add(user, f);
}

static void clear(judged *j)
{
    while (j->list != NULL) {
        ka_noted *noted = j->list;
        j->list = noted->next;
        ka_memory_give(j->allocator, noted);
    }
}

static ka_status collect(const ka_view *v, judged *j)
{
    for (const ka_noted *noted = v->connection->noted; noted != NULL; noted = noted->next) {
        if (add(j, &noted->finding) != KA_OK)
            return KA_NO_MEMORY;
    }
    const ka_rules_out out = {j, add_or_count};
    if (ka_rules_run(v, KA_ON_SETTLE, &out) != KA_OK)
        return KA_NO_MEMORY;
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
    for (const ka_noted *noted = list; noted != NULL; noted = noted->next)
        record->finding_mask[noted->finding.id / 64] |= UINT64_C(1) << noted->finding.id % 64;
    if (sink->connection != NULL)
        sink->connection(sink->user, record);
    for (const ka_noted *noted = list; noted != NULL && sink->finding != NULL; noted = noted->next)
        sink->finding(sink->user, &noted->finding);
}

/* What was lowered by a gate makes no later one graver. */
static bool is_sure(const ka_noted *list, ka_finding_id id)
{
    while (list != NULL && list->finding.id != id)
        list = list->next;
    return list != NULL && list->finding.severity > KA_NOTE;
}

/* Judges what the view shows, tells the sink, and adds to the server's statistics (NULL: it has none). */
static ka_status judge(const ka_audit *a, ka_view *v, const ka_sink *sink, ka_endpoint *endpoint)
{
    judged j = {&a->config.allocator, NULL};
    ka_record record;

    v->final = true;
    ka_view_close(v);
    if (endpoint != NULL && v->close.by == KA_SIDE_SERVER)
        v->mass_closed = ka_endpoint_mass_closed(endpoint, v->close.at);
    v->repeated = endpoint != NULL ? endpoint->unannounced : 0;
    if (v->mass_closed)
        v->failed_gates |= KA_GATE_MASS_CLOSE;
    if (ka_view_cut_short(v))
        v->failed_gates |= KA_GATE_SHORT_TAIL;
    ka_status status = collect(v, &j);
    if (status == KA_OK) {
        ka_view_record(v, &record);
        tell(v, sink, j.list, &record);
        if (endpoint != NULL) {
            if (v->connection->h2 != NULL && v->connection->h2->by_server != NULL)
                ka_endpoint_goaway(endpoint, v->limits, v->connection->h2->by_server);
            endpoint->unannounced += is_sure(j.list, KA_CLOSE_UNANNOUNCED) ? 1 : 0;
            status = ka_endpoint_add(endpoint, &record, v->capture_ended && v->close.by == KA_SIDE_NONE);
        }
    }
    clear(&j);
    return status;
}

ka_status ka_audit_judge(ka_audit *a, ka_connection *c, uint32_t failed_gates)
{
    ka_view v;
    ka_endpoint *endpoint = c->endpoint;
    if (endpoint == NULL && ka_endpoints_find(&a->endpoints, &c->ends[!c->client], false, &endpoint) != KA_OK)
        return KA_NO_MEMORY;
    if (c->endpoint != NULL && c->transport.half[0].ending == NULL && c->transport.half[1].ending == NULL)
        ka_endpoint_closed(c->endpoint);
    ka_view_init(c, &a->config.thresholds, a->now, a->tick_ns, &v);
    v.failed_gates |= failed_gates;
    return judge(a, &v, &a->config.sink, endpoint);
}

/* ---- The report at the end of the capture ---- */

static void tell_endpoint(const ka_endpoint *e, const ka_thresholds *limits, const ka_sink *sink)
{
    ka_finding limit;
    if (sink->finding != NULL && ka_endpoint_h2_limit(e, limits, &limit))
        sink->finding(sink->user, &limit);
    for (uint32_t i = 0; e->watch != NULL && i < e->watch->event_count && sink->finding != NULL; i++) {
        ka_finding f;
        ka_endpoint_mass_finding(e, &e->watch->events[i], &f);
        sink->finding(sink->user, &f);
    }
    if (sink->endpoint != NULL) {
        ka_endpoint_record record;
        ka_endpoint_record_of(e, &record);
        sink->endpoint(sink->user, &record);
    }
}

static ka_status report_open(const ka_audit *a, const ka_connection *c, ka_endpoints *endpoints,
                             const ka_sink *sink)
{
    ka_view v;
    ka_endpoint *endpoint = NULL;
    if (ka_endpoints_find(endpoints, &c->ends[!c->client], false, &endpoint) != KA_OK)
        return KA_NO_MEMORY;
    ka_view_init(c, &a->config.thresholds, a->now, a->tick_ns, &v);
    v.capture_ended = true;
    return judge(a, &v, sink, endpoint);
}

ka_status ka_audit_report(const ka_audit *a, const ka_sink *sink)
{
    ka_endpoints endpoints;
    ka_status status = ka_endpoints_copy(&a->endpoints, &endpoints);
    if (status != KA_OK)
        return status;
    for (const ka_connection *c = a->oldest; c != NULL && status == KA_OK; c = c->newer)
        status = report_open(a, c, &endpoints, sink);
    for (uint32_t i = 0; i < endpoints.count && status == KA_OK; i++)
        tell_endpoint(endpoints.at[i], &a->config.thresholds, sink);
    ka_endpoints_fini(&endpoints);
    return status;
}
