/* rules_leak.c - what stays open: half-closed connections and idle ones without end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rules.h"

static int64_t earlier(int64_t a_ns, ka_moment b)
{
    return b.frame != 0 && b.time_ns < a_ns ? b.time_ns : a_ns;
}

/* Half-closed for long is fine in other protocols. */
static bool is_other_protocol(const ka_view *v)
{
    return v->connection->protocol == KA_PROTOCOL_OTHER;
}

/* One side's FIN was acknowledged at `from`; the other stays in CLOSE-WAIT until it closes itself, somebody
 * resets, or the capture ends. KA_NONE: it was not in CLOSE-WAIT, or nobody saw how it ended. */
static int64_t close_wait_ns(const ka_view *v, const ka_half *closed, const ka_half *waiting, ka_moment from)
{
    ka_moment none = {0, 0};
    ka_moment fin = waiting->ending != NULL ? waiting->ending->fin : none;
    ka_moment rst = waiting->ending != NULL ? waiting->ending->rst : none;
    ka_moment reset = closed->ending->rst;
    bool ended = fin.frame != 0 || rst.frame != 0 || reset.frame != 0;
    if (from.frame == 0 || (!ended && !v->capture_ended))
        return KA_NONE;
    int64_t until_ns = earlier(earlier(earlier(v->now.time_ns, fin), rst), reset);
    return until_ns > from.time_ns ? until_ns - from.time_ns : KA_NONE;
}

static void show(const ka_view *v, const ka_half *closed, const ka_half *waiting, int64_t held_ns,
                 ka_finding *f)
{
    f->at = closed->ending->fin;
    ka_finding_frame(f, "response_end", ka_view_idle_since(v));
    ka_finding_frame(f, "fin", closed->ending->fin);
    ka_finding_frame(f, "ack", closed->ending->fin_acked);
    ka_how how;
    ka_moment end = ka_transport_ended(waiting, &how);
    ka_finding_frame(f, how == KA_HOW_FIN ? "fin_of_holder" : "rst_of_holder", end);
    ka_finding_value(f, "held", held_ns, KA_NS);
    ka_finding_value(f, "still_open", how == KA_HOW_NONE ? 1 : 0, KA_COUNT);
}

bool ka_rule_client_close_wait(const ka_view *v, ka_finding *f)
{
    if (v->server->ending == NULL || is_other_protocol(v))
        return false;
    int64_t held_ns = close_wait_ns(v, v->server, v->client, v->server->ending->fin_acked);
    if (held_ns == KA_NONE || held_ns <= v->limits->close_wait_ns)
        return false;
    f->severity = held_ns > v->limits->close_wait_error_ns ? KA_ERROR : KA_WARN;
    show(v, v->server, v->client, held_ns, f);
    return true;
}

bool ka_rule_server_close_wait(const ka_view *v, ka_finding *f)
{
    if (v->client->ending == NULL || is_other_protocol(v))
        return false;
    ka_moment from = v->client->ending->fin_acked;
    if (from.frame != 0 && v->server->last_data_ns != KA_NONE && v->server->last_data_ns > from.time_ns)
        from.time_ns = v->server->last_data_ns; /* it was still answering */
    int64_t held_ns = close_wait_ns(v, v->client, v->server, from);
    if (held_ns == KA_NONE || held_ns < v->limits->server_close_wait_ns)
        return false;
    show(v, v->client, v->server, held_ns, f);
    return true;
}

bool ka_rule_idle_forever(const ka_view *v, ka_finding *f)
{
    int64_t idle_ns = ka_view_idle_ns(v);
    int64_t timeout_ns = ka_view_timeout_ns(v);
    int64_t limit_ns = v->limits->idle_forever_ns;
    if (timeout_ns != KA_NONE && timeout_ns + ka_view_late_ns(v, timeout_ns) > limit_ns)
        limit_ns = timeout_ns + ka_view_late_ns(v, timeout_ns);
    const ka_tls *bursts = ka_connection_bursts(v->connection);
    /* HTTP/2 is meant to stay open as long as possible (RFC 9113 section 9.1). */
    if (v->connection->h2 != NULL || (bursts != NULL && ka_connection_carries(v->connection) != KA_TLS_HTTP1))
        return false;
    if (ka_rules_is_server_dead(v))
        return false; /* it may have closed long ago: dead-peer */
    if (!v->capture_ended || idle_ns == KA_NONE || idle_ns <= limit_ns)
        return false;
    if (bursts != NULL)
        f->failed_gates |= KA_GATE_TLS_INFERRED; /* it may be a WebSocket by now */
    f->at = ka_view_idle_since(v);
    ka_finding_frame(f, "response_end", f->at);
    ka_finding_value(f, "idle", idle_ns, KA_NS);
    ka_finding_value(f, "timeout", timeout_ns, KA_NS);
    return true;
}

/* A handshake, with or without that of TLS, and not a byte of a request. */
bool ka_rule_preconnect_unused(const ka_view *v, ka_finding *f)
{
    const ka_connection *c = v->connection;
    const ka_tls *bursts = ka_connection_bursts(c);
    bool used = bursts == NULL ? ka_transport_spoke(v->client) || v->server->last_data_ns != KA_NONE
                               : bursts->waiting != NULL || bursts->answered.frame != 0;
    bool may_be_web = bursts == NULL || (ka_connection_carries(c) != KA_TLS_OTHER &&
                                         ka_connection_carries(c) != KA_TLS_UNKNOWN);
    if (used || !may_be_web)
        return false;
    if (bursts != NULL && (!bursts->secured || bursts->refused))
        return false; /* it was to be used, but the handshake failed */
    if (ka_transport_unclaimed(&c->transport, 0).seq != 0 ||
        ka_transport_unclaimed(&c->transport, 1).seq != 0)
        return false; /* part of a record */
    if (!ka_rules_is_web(v) || c->h2 != NULL || !v->client->syn || !v->server->syn || v->client->acked == 0)
        return false; /* without an ACK of the client it is only half open */
    int64_t open_ns = v->close.by != KA_SIDE_NONE ? v->close.at.time_ns - c->first.time_ns : 0;
    if (v->close.verdict != KA_VERDICT_UNUSED || v->exchanges->responses > 0 ||
        open_ns < v->limits->preconnect_ns)
        return false;
    f->at = c->first;
    ka_finding_frame(f, "syn", c->first);
    ka_finding_frame(f, ka_how_name(v->close.how), v->close.at);
    ka_finding_value(f, "open_for", open_ns, KA_NS);
    ka_finding_value(f, "closed_by_server", v->close.by == KA_SIDE_SERVER ? 1 : 0, KA_COUNT);
    return true;
}
