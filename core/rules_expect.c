/* rules_expect.c - Expect: 100-continue (RFC 9110 section 10.1.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rules.h"
#include "order.h"

/* The server can answer what has reached it: a head that was lost and sent again counts from then. */
static int64_t asked_ns(const ka_view *v, ka_moment request)
{
    const ka_activity *activity = v->connection->transport.activity;
    int64_t resent_ns = activity != NULL ? activity->half[v->connection->client].resent_ns : 0;
    return ka_larger(resent_ns, request.time_ns);
}

int64_t ka_rules_expect_waited(const ka_view *v, int64_t until_ns)
{
    return until_ns - asked_ns(v, v->begun.at);
}

static void show(const ka_view *v, ka_moment request, int64_t waited_ns, ka_finding *f)
{
    f->at = request;
    ka_finding_frame(f, "request", request);
    ka_finding_value(f, "waited", waited_ns, KA_NS);
    ka_finding_value(f, "allowed", ka_view_expect_ns(v), KA_NS);
}

/* A server must not wait for what HTTP/1.0 knows nothing of: that client has only itself to blame. */
static bool is_late_body(const ka_view *v, ka_finding *f)
{
    const ka_message *m = v->message;
    int64_t waited_ns = m->body.time_ns - asked_ns(v, m->first);
    if (!v->header->expects_continue || m->body.frame == 0 || v->exchanges->continued ||
        waited_ns <= ka_view_expect_ns(v))
        return false;
    show(v, m->first, waited_ns, f);
    if (m->version < 11)
        f->fault = KA_FAULT_CLIENT;
    ka_finding_frame(f, "body", m->body);
    return true;
}

static uint64_t expected_end(const ka_view *v)
{
    const ka_connection *c = v->connection;
    return c->transport.activity != NULL ? c->transport.activity->half[c->client].expect_end : 0;
}

/* Neither body nor answer came. */
static bool is_without_body(const ka_view *v, ka_finding *f)
{
    uint64_t head_end = expected_end(v);
    bool fin = v->client->ending != NULL && v->client->ending->fin.frame != 0;
    if (head_end == 0 || v->begun.seq == 0 || v->client->next - (fin ? 1 : 0) != head_end)
        return false;
    if (v->exchanges->early || v->exchanges->continued || v->answer_begun)
        return false;
    if (v->close.by == KA_SIDE_NONE && !v->capture_ended)
        return false;
    int64_t until_ns = v->close.by != KA_SIDE_NONE ? v->close.at.time_ns : v->now.time_ns;
    int64_t waited_ns = until_ns - asked_ns(v, v->begun.at);
    if (waited_ns <= ka_view_expect_ns(v) || v->server->acked <= v->begun.seq)
        return false; /* in time, or the server had none of the request */
    show(v, v->begun.at, waited_ns, f);
    ka_finding_frame(f, ka_how_name(v->close.how), v->close.at);
    return true;
}

/* A second final answer though the body is still awaited: the client went on with another request, which the
 * server can take for that body. */
static bool is_body_skipped(const ka_view *v, ka_finding *f)
{
    if (!v->exchanges->skipped || expected_end(v) == 0 || v->before == NULL)
        return false;
    ka_moment request = ka_transport_unclaimed(&v->connection->transport, v->connection->client).at;
    show(v, request, v->message->first.time_ns - request.time_ns, f);
    f->fault = KA_FAULT_CLIENT;
    ka_finding_frame(f, "response", v->message->first);
    return true;
}

bool ka_rule_expect_stall(const ka_view *v, ka_finding *f)
{
    if (v->final)
        return is_without_body(v, f);
    return v->message->is_response ? is_body_skipped(v, f) : is_late_body(v, f);
}
