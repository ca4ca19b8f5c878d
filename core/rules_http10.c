/* rules_http10.c - persistence in HTTP/1.0, where it has to be asked for and granted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rules.h"
#include "order.h"

/* How long the connection stayed open and unused behind the last response: KA_NONE when a request followed,
 * or when the end was not seen. */
static int64_t left_open_ns(const ka_view *v)
{
    const ka_exchanges *x = v->exchanges;
    if (x->completed == 0 || x->newest != NULL || v->begun.seq != 0 || x->last.until_close)
        return KA_NONE;
    if (v->close.by == KA_SIDE_NONE && !v->capture_ended)
        return KA_NONE;
    int64_t until_ns = v->close.by != KA_SIDE_NONE ? v->close.at.time_ns : v->now.time_ns;
    return until_ns - x->last.end_at.time_ns;
}

static int64_t grace_ns(const ka_view *v)
{
    return ka_larger(2 * v->rtt_ns, v->limits->close_grace_ns);
}

static void show_left_open(const ka_view *v, ka_finding *f)
{
    const ka_response *last = &v->exchanges->last;
    f->at = (ka_moment){last->first_ns, last->first_frame};
    ka_finding_frame(f, "response", f->at);
    ka_finding_frame(f, "response_end", last->end_at);
    ka_finding_frame(f, ka_how_name(v->close.how), v->close.at);
    ka_finding_value(f, "response_number", last->number, KA_COUNT);
    ka_finding_value(f, "open_for", left_open_ns(v), KA_NS);
    ka_finding_value(f, "allowed", grace_ns(v), KA_NS);
}

/* A client that went on once does not wait for the close. */
static bool seems_to_wait(const ka_view *v)
{
    return !v->exchanges->went_on && left_open_ns(v) > grace_ns(v);
}

bool ka_rule_http10_token_not_echoed(const ka_view *v, ka_finding *f)
{
    if (!v->exchanges->last.unechoed || !seems_to_wait(v))
        return false;
    show_left_open(v, f);
    return true;
}

bool ka_rule_http10_unasked_keepalive(const ka_view *v, ka_finding *f)
{
    if (!v->exchanges->last.unbidden || !seems_to_wait(v))
        return false;
    show_left_open(v, f);
    return true;
}

/* The response whose end only a FIN can tell though it says keep-alive, complete by now or not. */
static ka_moment undelimited_since(const ka_view *v)
{
    const ka_response *last = &v->exchanges->last;
    if (v->exchanges->undelimited && v->answer_begun)
        return ka_transport_unclaimed(&v->connection->transport, !v->connection->client).at;
    if (v->exchanges->completed > 0 && last->until_close && last->http10 && last->effective)
        return (ka_moment){last->first_ns, last->first_frame};
    return (ka_moment){0, 0};
}

bool ka_rule_http10_undelimited(const ka_view *v, ka_finding *f)
{
    ka_moment since = undelimited_since(v);
    if (since.frame == 0 || v->connection->pauses || (v->close.by == KA_SIDE_NONE && !v->capture_ended))
        return false;
    int64_t until_ns = v->close.by != KA_SIDE_NONE ? v->close.at.time_ns : v->now.time_ns;
    int64_t waited_ns = until_ns - v->server->last_data_ns;
    if (waited_ns <= v->limits->undelimited_wait_ns)
        return false;
    f->at = since;
    ka_finding_frame(f, "response", since);
    ka_finding_frame(f, ka_how_name(v->close.how), v->close.at);
    ka_finding_value(f, "waited", waited_ns, KA_NS);
    return true;
}
