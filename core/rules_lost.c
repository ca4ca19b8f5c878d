/* rules_lost.c - requests that got no answer. Each gets exactly one diagnosis, the first that holds:
 * request-after-close, reuse-after-fin, keepalive-race, server-closed-in-flight. pipeline-lost stands in
 * place of the last where the server had answered the beginning of the same pipeline; where a device on the
 * path lost it, one of rules_middle.c stands in place of the last two.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rules.h"
#include "order.h"

ka_unanswered ka_rules_unanswered(const ka_view *v)
{
    if (ka_connection_bursts(v->connection) != NULL) {
        const ka_burst *b = ka_rules_burst(v);
        if (b == NULL)
            return (ka_unanswered){0, 0, 0, {0, 0}, {0, 0}};
        return (ka_unanswered){b->first, b->ack, v->connection->tls->burst_count, b->first_at, b->end_at};
    }
    const ka_request *oldest = ka_exchanges_oldest(v->exchanges);
    if (oldest != NULL)
        return (ka_unanswered){oldest->first, oldest->ack, oldest->number, oldest->first_at, oldest->end_at};
    return (ka_unanswered){v->begun.seq, v->begun.ack, v->exchanges->numbered + 1, v->begun.at, {0, 0}};
}

/* One past the latest answer; 0: there was none. */
static uint64_t answers_end(const ka_view *v)
{
    const ka_tls *bursts = ka_connection_bursts(v->connection);
    if (bursts != NULL)
        return bursts->answered_end;
    return v->exchanges->completed > 0 ? v->exchanges->last.end : 0;
}

/* The client had the whole response that said close when it sent the request. */
static bool is_after_close(const ka_response *before, uint64_t ack)
{
    return before != NULL && before->end_at.frame != 0 && before->close && ack >= before->end;
}

static bool is_lost(const ka_view *v, const ka_unanswered *u)
{
    return u->first != 0 && v->close.by == KA_SIDE_SERVER && !is_after_close(&v->exchanges->last, u->ack) &&
           !ka_rules_is_reset_by_middle(v) && !ka_rules_is_ignored(v) && !ka_rules_was_notified(v, u->ack);
}

/* Whether the client knew all that was answered before; else it pipelined, and the answers may tell it to
 * stop. */
static bool is_pipelined(const ka_view *v, const ka_unanswered *u)
{
    return u->ack < answers_end(v);
}

static bool is_after_fin(const ka_view *v, const ka_unanswered *u)
{
    const ka_ending *server = v->server->ending;
    return is_lost(v, u) && !v->answer_begun && server->fin.frame != 0 && u->ack > server->fin_seq;
}

/* The server had not a byte of the request when it closed: neither its FIN nor its RST acknowledges any.
 * Frame order would depend on where the capture was taken; this does not. */
static bool is_received(const ka_view *v, const ka_unanswered *u)
{
    const ka_ending *server = v->server->ending;
    return (v->close.how == KA_HOW_FIN ? server->fin_ack : server->rst_ack) > u->first;
}

/* The server's system answered the request, or what came before, by a reset without ACK (RFC 9293 section
 * 3.10.7.1): it did not know the connection. It has crashed, or was replaced; no close was crossed. */
static bool is_unknown_there(const ka_view *v)
{
    return v->close.how == KA_HOW_RST && v->server->ending->rst_bare;
}

static bool is_race(const ka_view *v, const ka_unanswered *u)
{
    return is_lost(v, u) && !is_unknown_there(v) && !v->answer_begun && !is_after_fin(v, u) &&
           !is_pipelined(v, u) && !is_received(v, u);
}

static void show_request(const ka_view *v, const ka_unanswered *u, ka_finding *f)
{
    const ka_response *last = &v->exchanges->last;
    f->at = u->first_at;
    ka_finding_frame(f, "response_end", ka_view_idle_since(v));
    ka_finding_frame(f, "advert", (ka_moment){last->first_ns, last->timeout_s >= 0 ? last->first_frame : 0});
    ka_finding_frame(f, "request", u->first_at);
    ka_finding_value(f, "request_number", (int64_t)u->number, KA_COUNT);
}

static void show_close(const ka_view *v, ka_finding *f)
{
    ka_finding_frame(f, ka_how_name(v->close.how), v->close.at);
    ka_finding_value(f, "timeout", ka_view_timeout_ns(v), KA_NS);
    ka_finding_value(f, "rtt_server", v->rtt_server_ns, KA_NS);
    ka_finding_value(f, "rtt_client", v->rtt_client_ns, KA_NS);
}

static void fill_after_close(const ka_response *before, uint64_t number, ka_moment at, ka_finding *f)
{
    f->at = at;
    ka_finding_frame(f, "response_end", before->end_at);
    ka_finding_frame(f, "advert", (ka_moment){before->first_ns, before->first_frame});
    ka_finding_frame(f, "request", at);
    ka_finding_value(f, "request_number", (int64_t)number, KA_COUNT);
    ka_finding_value(f, "since_close", at.time_ns - before->end_at.time_ns, KA_NS);
    ka_finding_value(f, "status", before->status, KA_COUNT);
}

/* Whole requests are judged when they come, one that was only begun at the end. */
bool ka_rule_request_after_close(const ka_view *v, ka_finding *f)
{
    if (!v->final) {
        if (!is_after_close(v->before, v->request->ack))
            return false;
        fill_after_close(v->before, v->request->number, v->request->first_at, f);
        return true;
    }
    ka_unanswered u = ka_rules_unanswered(v);
    if (u.first == 0 || u.end_at.frame != 0 || !is_after_close(&v->exchanges->last, u.ack))
        return false;
    fill_after_close(&v->exchanges->last, u.number, u.first_at, f);
    return true;
}

bool ka_rule_reuse_after_fin(const ka_view *v, ka_finding *f)
{
    ka_unanswered u = ka_rules_unanswered(v);
    if (!is_after_fin(v, &u))
        return false;
    const ka_ending *server = v->server->ending;
    bool acked_before = server->fin_acked.frame != 0 && server->fin_acked.frame < u.first_at.frame;
    int64_t known_ns = acked_before ? u.first_at.time_ns - server->fin_acked.time_ns : 0;
    show_request(v, &u, f);
    show_close(v, f);
    ka_finding_frame(f, "ack", server->fin_acked);
    ka_finding_value(f, "since_fin", u.first_at.time_ns - server->fin.time_ns, KA_NS);
    if (acked_before)
        ka_finding_value(f, "in_close_wait", known_ns, KA_NS);
    /* The application may not have been told yet: still the client's, but not neglect. */
    ka_finding_value(f, "late", known_ns < v->limits->late_reuse_ns ? 1 : 0, KA_COUNT);
    return true;
}

bool ka_rule_keepalive_race(const ka_view *v, ka_finding *f)
{
    ka_unanswered u = ka_rules_unanswered(v);
    if (!is_race(v, &u))
        return false;
    show_request(v, &u, f);
    show_close(v, f);
    ka_moment since = ka_view_idle_since(v);
    if (since.frame == 0)
        since = v->connection->first;
    ka_finding_value(f, "client_idle", u.first_at.time_ns - since.time_ns - v->rtt_client_ns, KA_NS);
    ka_finding_value(f, "server_idle", v->close.at.time_ns - since.time_ns, KA_NS);
    return true;
}

bool ka_rules_voided(const ka_view *v)
{
    const ka_response *last = &v->exchanges->last;
    return v->exchanges->completed > 0 && (!last->persists || last->asked_close ||
                                           ka_rules_excuses_close(last->status) || ka_rules_max_reached(v));
}

/* From the last answer, or from the request's end if that came later, to the close as the closing side knew
 * both. */
static int64_t silence_ns(const ka_view *v, const ka_unanswered *u)
{
    bool by_client = v->close.by == KA_SIDE_CLIENT;
    int64_t answered_ns = v->exchanges->last.end_at.time_ns + (by_client ? v->rtt_client_ns : 0);
    int64_t asked_ns = u->end_at.time_ns + (by_client ? 0 : v->rtt_server_ns);
    int64_t since_ns = ka_larger(answered_ns, asked_ns);
    int64_t until_ns = v->close.by != KA_SIDE_NONE ? v->close.at.time_ns : v->now.time_ns;
    return until_ns > since_ns ? until_ns - since_ns : 0;
}

/* The server answered requests that were sent with this one, received this one, and never answered it. */
static bool is_pipeline_lost(const ka_view *v, const ka_unanswered *u)
{
    if (u->first == 0 || u->end_at.frame == 0 || v->exchanges->completed == 0 || !is_pipelined(v, u) ||
        v->answer_begun || ka_rules_voided(v))
        return false;
    if (v->close.by == KA_SIDE_SERVER)
        return is_received(v, u);
    return v->server->acked > u->first && silence_ns(v, u) > v->limits->pipeline_silence_ns;
}

bool ka_rule_pipeline_lost(const ka_view *v, ka_finding *f)
{
    ka_unanswered u = ka_rules_unanswered(v);
    if (!is_pipeline_lost(v, &u))
        return false;
    if (v->close.by != KA_SIDE_SERVER)
        f->severity = KA_NOTE; /* it may work at it still */
    show_request(v, &u, f);
    show_close(v, f);
    ka_finding_value(f, "answered", v->exchanges->last.number, KA_COUNT);
    ka_finding_value(f, "unanswered", v->exchanges->pending_count + (v->begun.seq != 0 ? 1 : 0), KA_COUNT);
    ka_finding_value(f, "silent", silence_ns(v, &u), KA_NS);
    return true;
}

bool ka_rule_server_closed_in_flight(const ka_view *v, ka_finding *f)
{
    ka_unanswered u = ka_rules_unanswered(v);
    if (!is_lost(v, &u) || is_after_fin(v, &u) || !is_received(v, &u) || u.end_at.frame == 0 ||
        ka_rules_voided(v) || is_pipeline_lost(v, &u))
        return false;
    /* As the server saw it: the request's end was still on its way there, the close already on its way here.
     */
    int64_t after_ns = v->close.at.time_ns - u.end_at.time_ns - v->rtt_server_ns;
    if (after_ns < 0)
        after_ns = 0;
    int64_t timeout_ns = ka_view_timeout_ns(v);
    int64_t since_last_ns = v->close.at.time_ns - v->exchanges->last.end_at.time_ns;
    bool on_timer = timeout_ns != KA_NONE && since_last_ns >= timeout_ns - ka_view_early_ns(v, v->client) &&
                    since_last_ns <= timeout_ns + ka_view_late_ns(v, timeout_ns);
    if (after_ns >= v->limits->in_flight_limit_ns && !on_timer)
        return false;
    if (v->close.how == KA_HOW_RST && ka_rules_is_foreign_reset(v))
        f->fault = KA_FAULT_MIDDLE;
    show_request(v, &u, f);
    show_close(v, f);
    ka_finding_value(f, "after_request", after_ns, KA_NS);
    ka_finding_value(f, "on_idle_timer", on_timer ? 1 : 0, KA_COUNT);
    return true;
}
