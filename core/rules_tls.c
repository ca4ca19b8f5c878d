/* rules_tls.c - TLS: closure alerts, and what bursts of records can tell of requests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "rules.h"

/* The shortest request, "GET / HTTP/1.0" and two line ends, in a record with TLS 1.3's 22 bytes about it.
 * What HTTP/2 says about the connection (PING, GOAWAY) is shorter there. */
enum { HTTP1_REQUEST_BYTES = 18 + 22 };
/* Where HTTP/2 is possible: longer than a few such frames at once. */
enum { H2_REQUEST_BYTES = 100 };

/* Nothing is said about a burst where the records were not all seen. */
#define BLINDING (KA_GATE_ONE_SIDED | KA_GATE_GAP | KA_GATE_SNAPLEN | KA_GATE_UNFRAMED | KA_GATE_LOST_STATE)

/* ---- Bursts ---- */

/* The client closes right behind it: GOAWAY, QUIT or the like, where it need not be HTTP/1. */
static bool is_goodbye(const ka_view *v, const ka_tls *tls)
{
    const ka_burst *burst = tls->waiting;
    const ka_tls_alert *alert = tls->alerts != NULL ? &tls->alerts[v->connection->client] : NULL;
    int64_t until_ns = burst->end_at.time_ns + v->limits->unannounced_ns;
    ka_how how;
    ka_moment ended = ka_transport_ended(v->client, &how);
    return (alert != NULL && alert->end > burst->end && alert->at.time_ns < until_ns) ||
           (how != KA_HOW_NONE && ended.time_ns < until_ns);
}

const ka_burst *ka_rules_burst(const ka_view *v)
{
    const ka_tls *tls = ka_connection_bursts(v->connection);
    ka_tls_carries carries = ka_connection_carries(v->connection);
    if (tls == NULL || tls->waiting == NULL || (v->failed_gates & BLINDING))
        return NULL;
    if (carries == KA_TLS_H2 || carries == KA_TLS_OTHER)
        return NULL;
    if (carries != KA_TLS_HTTP1 && is_goodbye(v, tls))
        return NULL;
    /* The first exchange may have failed for TLS's own reasons: a client certificate that was refused. */
    if (tls->answered.frame == 0)
        return NULL;
    /* Without a pause it may be the rest of an upload that was answered early. */
    if (tls->waiting->quiet_ns != KA_NONE && tls->waiting->quiet_ns < v->limits->unannounced_ns)
        return NULL;
    uint64_t least_bytes = carries == KA_TLS_MAYBE_H2 ? H2_REQUEST_BYTES : HTTP1_REQUEST_BYTES;
    return tls->waiting->end - tls->waiting->first >= least_bytes ? tls->waiting : NULL;
}

static const char *carries_name(ka_tls_carries carries)
{
    static const char *const names[] = {"unknown", "http/1.1", "h2?", "h2", "other"};
    return names[carries];
}

bool ka_rules_inferred(const ka_view *v, const ka_noted *list, ka_finding *f)
{
    static const ka_finding_id told[] = {KA_REUSE_AFTER_FIN, KA_KEEPALIVE_RACE, KA_SERVER_CLOSED_IN_FLIGHT,
                                         KA_TLS_CLOSE_NOTIFY_IGNORED, KA_IDLE_FOREVER};
    const ka_tls *tls = ka_connection_bursts(v->connection);
    if (tls == NULL)
        return false;
    for (const ka_noted *noted = list; noted != NULL; noted = noted->next) {
        for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
            if (noted->finding.id != told[i])
                continue;
            const char *name = carries_name(ka_connection_carries(v->connection));
            ka_finding_init(f, KA_TLS_IDLE_INFERENCE);
            f->at = noted->finding.at;
            ka_finding_value(f, "bursts", tls->burst_count, KA_COUNT);
            ka_finding_detail(f, (ka_slice){name, strlen(name)});
            return true;
        }
    }
    return false;
}

/* ---- Closure alerts ---- */

/* One past the last byte of data that direction sent. */
static uint64_t data_end(const ka_half *half)
{
    return half->ending != NULL && half->ending->fin.frame != 0 ? half->ending->fin_seq : half->next;
}

/* The server's alert, when it is the last it sent; NULL. */
static const ka_tls_alert *last_alert(const ka_view *v)
{
    const ka_tls *tls = v->connection->tls;
    if (tls == NULL || tls->alerts == NULL)
        return NULL;
    const ka_tls_alert *alert = &tls->alerts[!v->connection->client];
    return alert->at.frame != 0 && alert->end == data_end(v->server) ? alert : NULL;
}

/* The last two bytes of a body look the same in TLS 1.3; but an alert goes with the FIN. */
static bool is_sure(const ka_view *v, const ka_tls_alert *alert)
{
    const ka_moment *fin = &v->server->ending->fin;
    return alert->sure || (fin->frame != 0 && fin->time_ns - alert->at.time_ns <= v->limits->unannounced_ns);
}

bool ka_rules_was_notified(const ka_view *v, uint64_t ack)
{
    const ka_tls_alert *alert = last_alert(v);
    return alert != NULL && v->server->ending != NULL && is_sure(v, alert) && ack >= alert->end;
}

bool ka_rule_tls_close_notify_ignored(const ka_view *v, ka_finding *f)
{
    ka_unanswered u = ka_rules_unanswered(v);
    const ka_response *last = &v->exchanges->last;
    if (u.first == 0 || v->answer_begun || !ka_rules_was_notified(v, u.ack))
        return false;
    if (last->end_at.frame != 0 && last->close && u.ack >= last->end)
        return false; /* request-after-close */
    const ka_tls_alert *alert = last_alert(v);
    const ka_ending *server = v->server->ending;
    int64_t since_ns = u.first_at.time_ns - alert->at.time_ns;
    f->at = u.first_at;
    ka_finding_frame(f, "response_end", ka_view_idle_since(v));
    ka_finding_frame(f, "alert", alert->at);
    ka_finding_frame(f, "fin", server->fin);
    ka_finding_frame(f, "request", u.first_at);
    ka_finding_value(f, "request_number", (int64_t)u.number, KA_COUNT);
    ka_finding_value(f, "since_alert", since_ns, KA_NS);
    /* The application may not have been told yet: still the client's, but not neglect. */
    ka_finding_value(f, "late", since_ns < v->limits->late_reuse_ns + v->rtt_client_ns ? 1 : 0, KA_COUNT);
    ka_finding_value(f, "fin_known", server->fin.frame != 0 && u.ack > server->fin_seq ? 1 : 0, KA_COUNT);
    ka_finding_value(f, "rtt_client", v->rtt_client_ns, KA_NS);
    return true;
}

/* HTTP for sure, so that RFC 9112 section 9.8 holds. */
static bool is_http(const ka_view *v)
{
    ka_tls_carries carries = ka_connection_carries(v->connection);
    return v->connection->tls->readable || carries == KA_TLS_HTTP1 || carries == KA_TLS_MAYBE_H2 ||
           carries == KA_TLS_H2;
}

bool ka_rule_tls_no_close_notify(const ka_view *v, ka_finding *f)
{
    if (v->connection->tls == NULL || !is_http(v) || last_alert(v) != NULL)
        return false;
    if (v->close.by != KA_SIDE_SERVER || v->close.how != KA_HOW_FIN || v->close.idle_ns == KA_NONE)
        return false;
    /* An alert could hide where records were not followed to the end. */
    if ((v->failed_gates & BLINDING) || v->server->claimed != v->server->ending->fin_seq)
        return false;
    f->at = v->close.at;
    ka_finding_frame(f, "response_end", ka_view_idle_since(v));
    ka_finding_frame(f, "fin", v->close.at);
    ka_finding_value(f, "idle", v->close.idle_ns, KA_NS);
    return true;
}
