/* rules_hint.c - clients that read the advertised timeout, and misread it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "retry.h"
#include "rules.h"

/* ---- Seconds taken for milliseconds ---- */

/* Timers never run out early, but clocks are cut to whole milliseconds. */
#define UNIT_EARLY_NS KA_MILLISECOND_NS
/* And late by little: by a tick or two, or by a tenth where the client closes from a loop. */
#define UNIT_LATE_NS (2 * KA_MILLISECOND_NS)

/* Gates that leave no idle time to a millisecond. */
#define UNIT_GATES                                                                                           \
    (KA_GATE_MID_START | KA_GATE_GAP | KA_GATE_CLOCK | KA_GATE_TUNNEL | KA_GATE_UNFRAMED | KA_GATE_ONE_SIDED)

static int64_t late_ns(int64_t unit_ns)
{
    return unit_ns / 10 > UNIT_LATE_NS ? unit_ns / 10 : UNIT_LATE_NS;
}

ka_unit_sign ka_rules_unit_sign(const ka_view *v)
{
    int64_t timeout_ns = ka_view_timeout_ns(v);
    if (timeout_ns == KA_NONE || timeout_ns < v->limits->unit_least_ns || (v->failed_gates & UNIT_GATES))
        return KA_UNIT_SILENT;
    int64_t unit_ns = timeout_ns / 1000;
    int64_t at_most_ns = unit_ns + late_ns(unit_ns);
    if (v->exchanges->idle_count > 0 && v->exchanges->idle_longest_ns - v->rtt_client_ns > at_most_ns)
        return KA_UNIT_READ;
    if (v->close.by != KA_SIDE_CLIENT || v->close.idle_ns == KA_NONE ||
        v->close.verdict == KA_VERDICT_ANNOUNCED)
        return v->close.by == KA_SIDE_SERVER && v->close.verdict == KA_VERDICT_PUNCTUAL ? KA_UNIT_READ
                                                                                        : KA_UNIT_SILENT;
    int64_t idle_ns = v->close.idle_ns - v->rtt_client_ns;
    return idle_ns >= unit_ns - UNIT_EARLY_NS && idle_ns <= at_most_ns ? KA_UNIT_MISREAD : KA_UNIT_READ;
}

bool ka_rule_unit_suspect(const ka_view *v, ka_finding *f)
{
    int64_t in_a_row = (int64_t)v->by_unit + 1;
    bool reused = v->by_unit_reused || v->exchanges->completed > 1;
    if (ka_rules_unit_sign(v) != KA_UNIT_MISREAD || in_a_row < v->limits->unit_count || !reused)
        return false; /* who never reuses a connection closes when it is done, not by a timer */
    const ka_response *last = &v->exchanges->last;
    f->at = v->close.at;
    ka_finding_frame(f, "response_end", last->end_at);
    ka_finding_frame(f, "advert", (ka_moment){last->first_ns, last->first_frame});
    ka_finding_frame(f, ka_how_name(v->close.how), v->close.at);
    ka_finding_value(f, "client_idle", v->close.idle_ns - v->rtt_client_ns, KA_NS);
    ka_finding_value(f, "timeout", ka_view_timeout_ns(v), KA_NS);
    ka_finding_value(f, "in_a_row", in_a_row, KA_COUNT);
    ka_finding_value(f, "rtt_client", v->rtt_client_ns, KA_NS);
    return true;
}

/* ---- The idle timeout taken for a response timeout ---- */

/* A request the client gave up while it waited for the first byte of the answer. */
typedef struct given_up {
    const ka_request *request; /* NULL: none was */
    const ka_response *before; /* what the client knew when it sent the request; NULL: nothing */
    ka_moment at;
    ka_how how;
    int64_t waited_ns;
} given_up;

/* When its answer came all the same, or when the connection settles without. */
static given_up find_given_up(const ka_view *v)
{
    given_up none = {NULL, NULL, {0, 0}, KA_HOW_NONE, 0};
    given_up g = none;
    g.request = v->final ? ka_exchanges_oldest(v->exchanges) : v->request;
    g.before = v->before;
    if (v->final)
        g.before = v->exchanges->completed > 0 ? &v->exchanges->last : NULL;
    g.at = ka_transport_ended(v->client, &g.how);
    if (g.request == NULL || g.how == KA_HOW_NONE || (v->final && v->answer_begun))
        return none;
    if (!v->final && v->message->first.time_ns < g.at.time_ns)
        return none; /* the answer had begun */
    if (v->final && v->close.by != KA_SIDE_CLIENT)
        return none;
    g.waited_ns = g.at.time_ns - g.request->end_at.time_ns;
    return g;
}

static bool is_near(int64_t a_ns, int64_t b_ns, int64_t tolerance_ns)
{
    return a_ns >= b_ns - tolerance_ns && a_ns <= b_ns + tolerance_ns;
}

/* The client waited longer for the same request where it knew no timeout: so it is the one it gave up by. */
static bool waited_longer(const ka_view *v, const ka_request *request, int64_t at_least_ns)
{
    ka_shape shape = ka_retry_shape(request);
    return v->patience != NULL && v->patience->waited_ns > at_least_ns &&
           ka_shapes_alike(&v->patience->shape, &shape);
}

bool ka_rule_client_timeout_from_hint(const ka_view *v, ka_finding *f)
{
    given_up g = find_given_up(v);
    if (g.request == NULL || g.before == NULL || g.before->timeout_s <= 0 || g.request->ack < g.before->end)
        return false;
    int64_t timeout_ns = g.before->timeout_s * KA_SECOND_NS;
    int64_t tolerance_ns = v->limits->hint_tolerance_ns;
    if (!is_near(g.waited_ns, timeout_ns, tolerance_ns))
        return false;
    if (v->given_up_ns != 0 && is_near(v->given_up_ns, timeout_ns, tolerance_ns))
        return false; /* so long does a client wait that was told nothing */
    if (v->server->acked <= g.request->first)
        return false; /* the server never had it: TCP gave up, or its user */
    bool is_sure = waited_longer(v, g.request, timeout_ns + tolerance_ns);
    if (!is_sure)
        f->severity = KA_NOTE; /* its response timeout may happen to be as long */
    f->at = g.at;
    ka_finding_frame(f, "advert", (ka_moment){g.before->first_ns, g.before->first_frame});
    ka_finding_frame(f, "request", g.request->first_at);
    ka_finding_frame(f, ka_how_name(g.how), g.at);
    ka_finding_value(f, "request_number", (int64_t)g.request->number, KA_COUNT);
    ka_finding_value(f, "waited", g.waited_ns, KA_NS);
    ka_finding_value(f, "timeout", timeout_ns, KA_NS);
    if (is_sure)
        ka_finding_value(f, "waited_untold", v->patience->waited_ns, KA_NS);
    ka_finding_value(f, "tolerance", tolerance_ns, KA_NS);
    return true;
}

int64_t ka_rules_given_up_untold(const ka_view *v)
{
    given_up g = find_given_up(v);
    bool told = g.before != NULL && g.before->timeout_s >= 0;
    return g.request != NULL && !told && g.waited_ns > 0 ? g.waited_ns : KA_NONE;
}
