/* rules_reset.c - connections that were aborted where they should have been closed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rules.h"
#include "order.h"

/* The server had sent something, a probe at least, that got no answer. */
static bool gave_up_client(const ka_view *v)
{
    const ka_rare *rare = v->server->rare;
    return v->client->acked < v->server->next || (rare != NULL && rare->probing.unanswered > 0);
}

bool ka_rules_is_own_close(const ka_view *v)
{
    if (v->close.by != KA_SIDE_SERVER || v->close.how != KA_HOW_RST)
        return true;
    return !ka_rules_is_foreign_reset(v) && !ka_rules_is_reset_by_middle(v) && !gave_up_client(v);
}

/* ---- idle-close-by-rst ---- */

/* Bytes of the client that the server may not have read: then its close has to be a reset (RFC 9293 section
 * 3.10.4). What was acknowledged and not read nobody sees; after the response only odd clients send. */
static bool may_have_unread(const ka_view *v)
{
    const ka_exchanges *x = v->exchanges;
    ka_moment since = ka_view_idle_since(v);
    bool late =
        since.frame != 0 && v->client->last_data_ns != KA_NONE && v->client->last_data_ns > since.time_ns;
    return v->server->acked < v->client->next || late || x->stray || x->early || x->unasked;
}

bool ka_rule_idle_close_by_rst(const ka_view *v, ka_finding *f)
{
    int64_t least_ns = ka_larger(v->rtt_ns, v->limits->unannounced_ns);
    ka_verdict verdict = v->close.verdict;
    if (v->close.by != KA_SIDE_SERVER || v->close.how != KA_HOW_RST || v->close.idle_ns == KA_NONE)
        return false;
    /* Sooner than advertised is closed-early. */
    if (verdict != KA_VERDICT_PUNCTUAL && verdict != KA_VERDICT_LATE && verdict != KA_VERDICT_UNADVERTISED)
        return false;
    if (v->close.idle_ns < least_ns || may_have_unread(v) || gave_up_client(v))
        return false;
    bool foreign = ka_rules_is_foreign_reset(v);
    if (foreign)
        f->fault = KA_FAULT_MIDDLE;
    f->at = v->close.at;
    ka_finding_frame(f, "response_end", v->exchanges->last.end_at);
    ka_finding_frame(f, "rst", v->close.at);
    ka_finding_value(f, "idle", v->close.idle_ns, KA_NS);
    ka_finding_value(f, "timeout", ka_view_timeout_ns(v), KA_NS);
    ka_finding_value(f, "rst_ttl", v->server->ending->rst_ttl, KA_COUNT);
    ka_finding_value(f, "server_ttl", v->server->ttl, KA_COUNT);
    return true;
}

/* ---- rst-data-loss ---- */

bool ka_rules_is_lost_by_reset(const ka_view *v)
{
    const ka_response *last = &v->exchanges->last;
    const ka_ending *server = v->server->ending;
    int64_t soon_ns = ka_larger(v->rtt_ns, v->limits->abrupt_ns);
    if (v->close.by != KA_SIDE_SERVER || server->rst.frame == 0 || v->client->ending != NULL)
        return false;
    if (last->end_at.frame == 0 || v->client->acked >= last->end || v->server->last_data_ns == KA_NONE)
        return false;
    return server->rst.time_ns - v->server->last_data_ns <= soon_ns && !ka_rules_is_foreign_reset(v);
}

bool ka_rule_rst_data_loss(const ka_view *v, ka_finding *f)
{
    if (!ka_rules_is_lost_by_reset(v))
        return false;
    const ka_response *last = &v->exchanges->last;
    const ka_ending *server = v->server->ending;
    uint64_t from = v->client->acked > last->first ? v->client->acked : last->first;
    f->at = server->rst;
    ka_finding_frame(f, "response", (ka_moment){last->first_ns, last->first_frame});
    ka_finding_frame(f, "response_end", last->end_at);
    ka_finding_frame(f, "fin", server->fin);
    ka_finding_frame(f, "rst", server->rst);
    ka_finding_value(f, "response_number", last->number, KA_COUNT);
    ka_finding_value(f, "status", last->status, KA_COUNT);
    ka_finding_value(f, "unacknowledged", (int64_t)(last->end - from), KA_BYTES);
    ka_finding_value(f, "after_response", server->rst.time_ns - v->server->last_data_ns, KA_NS);
    if (v->client->next > v->server->acked)
        ka_finding_value(f, "unread", (int64_t)(v->client->next - v->server->acked), KA_BYTES);
    return true;
}

/* ---- half-close-killed ---- */

/* The client shut down its sending side right behind a request: nobody gives up waiting so soon. */
static bool is_half_closed(const ka_view *v, const ka_request *request)
{
    const ka_ending *client = v->client->ending;
    if (v->close.by != KA_SIDE_CLIENT || v->close.how != KA_HOW_FIN || client->rst.frame != 0)
        return false;
    if (client->fin_ack > request->ack)
        return false; /* it had some answer */
    return client->fin_seq == v->exchanges->newest->end && request->end_at.frame != 0 &&
           client->fin.time_ns - v->exchanges->newest->end_at.time_ns <= v->limits->half_close_ns;
}

bool ka_rule_half_close_killed(const ka_view *v, ka_finding *f)
{
    const ka_request *request = ka_exchanges_oldest(v->exchanges);
    const ka_ending *server = v->server->ending;
    if (request == NULL || server == NULL || !is_half_closed(v, request) || v->exchanges->last.close)
        return false;
    ka_how how;
    ka_moment closed = ka_transport_ended(v->server, &how);
    uint64_t had = how == KA_HOW_FIN ? server->fin_ack : server->rst_ack;
    int64_t after_ns = closed.time_ns - v->client->ending->fin.time_ns - v->rtt_server_ns;
    /* It had the FIN, and ended at once: later it is a processing timeout. */
    if (had <= v->client->ending->fin_seq || after_ns >= v->limits->in_flight_limit_ns)
        return false;
    f->at = closed;
    ka_finding_frame(f, "request", request->first_at);
    ka_finding_frame(f, "fin", v->client->ending->fin);
    ka_finding_frame(f, how == KA_HOW_FIN ? "fin_of_server" : "rst", closed);
    ka_finding_value(f, "request_number", (int64_t)request->number, KA_COUNT);
    ka_finding_value(f, "after_fin", after_ns > 0 ? after_ns : 0, KA_NS);
    ka_finding_value(f, "answer_begun", v->answer_begun ? 1 : 0, KA_COUNT);
    return true;
}
