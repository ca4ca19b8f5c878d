/* rules_timeout.c - the timeout contract: closed early or late, reused too late, or nearly so.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rules.h"
#include "order.h"

static void show_response(ka_finding *f, const ka_response *response)
{
    ka_finding_frame(f, "response_end", response->end_at);
    ka_finding_frame(f, "advert", (ka_moment){response->first_ns, response->first_frame});
}

static void show_paths(const ka_view *v, ka_finding *f)
{
    ka_finding_value(f, "rtt_server", v->rtt_server_ns, KA_NS);
    ka_finding_value(f, "rtt_client", v->rtt_client_ns, KA_NS);
}

static int64_t response_timeout_ns(const ka_response *response)
{
    return response == NULL || response->timeout_s < 0 ? KA_NONE : response->timeout_s * KA_SECOND_NS;
}

/* Idle timers are set in whole seconds: one that runs out sooner is no timer. */
#define SHORTEST_TIMER_NS KA_SECOND_NS

/* The server may have started its timer when it had written the response; what the wire shows can be later,
 * when the client took it slowly. Counted from the first byte the close is early in any case. */
static bool tail_limited(const ka_view *v, int64_t timeout_ns)
{
    int64_t at_most_ns = v->close.at.time_ns - v->exchanges->last.first_ns;
    return at_most_ns >= timeout_ns - ka_view_early_ns(v, v->client);
}

/* Errors after which a server has reason to close (RFC 9110: it lost track of the message, or sheds load). */
bool ka_rules_excuses_close(uint16_t status)
{
    static const uint16_t statuses[] = {400, 408, 413, 414, 417, 431};
    if (status >= 500)
        return true;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (statuses[i] == status)
            return true;
    }
    return false;
}

bool ka_rules_unannounced(const ka_view *v)
{
    const ka_exchanges *x = v->exchanges;
    int64_t limit_ns = ka_larger(v->rtt_ns, v->limits->unannounced_ns);
    if (v->close.by != KA_SIDE_SERVER || v->close.how != KA_HOW_FIN || v->close.idle_ns == KA_NONE)
        return false;
    if (x->completed == 0 || !x->last.persists || x->last.asked_close || x->unasked || x->stray)
        return false;
    if (v->close.verdict == KA_VERDICT_PUNCTUAL || v->close.verdict == KA_VERDICT_LATE)
        return false;
    int64_t timeout_ns = ka_view_timeout_ns(v);
    if (timeout_ns != KA_NONE && tail_limited(v, timeout_ns))
        return false;
    return v->close.idle_ns < limit_ns && !ka_rules_excuses_close(x->last.status) && !ka_rules_max_reached(v);
}

bool ka_rule_closed_early(const ka_view *v, ka_finding *f)
{
    int64_t timeout_ns = ka_view_timeout_ns(v);
    if (v->close.by != KA_SIDE_SERVER || v->close.verdict != KA_VERDICT_EARLY || !v->exchanges->last.persists)
        return false;
    if (v->exchanges->stray || ka_rules_max_reached(v) || ka_rules_unannounced(v) ||
        tail_limited(v, timeout_ns))
        return false;
    bool foreign = v->close.how == KA_HOW_RST && ka_rules_is_foreign_reset(v);
    if (ka_rules_is_reset_by_middle(v) || ka_rules_is_ignored(v) || ka_rules_is_lost_by_reset(v))
        return false;
    if (!ka_rules_is_own_close(v) && !foreign)
        return false;
    if (foreign)
        f->fault = KA_FAULT_MIDDLE;
    f->at = v->close.at;
    show_response(f, &v->exchanges->last);
    ka_finding_frame(f, ka_how_name(v->close.how), v->close.at);
    ka_finding_value(f, "idle", v->close.idle_ns, KA_NS);
    ka_finding_value(f, "timeout", timeout_ns, KA_NS);
    ka_finding_value(f, "short_by", timeout_ns - v->close.idle_ns, KA_NS);
    ka_finding_value(f, "tolerance", ka_view_early_ns(v, v->client), KA_NS);
    show_paths(v, f);
    return true;
}

bool ka_rule_close_unannounced(const ka_view *v, ka_finding *f)
{
    if (!ka_rules_unannounced(v) || ka_rules_is_lost_by_reset(v))
        return false;
    f->at = v->close.at;
    f->severity = v->repeated > 0 ? KA_ERROR : KA_WARN;
    if (ka_view_timeout_ns(v) == KA_NONE && tail_limited(v, SHORTEST_TIMER_NS))
        f->failed_gates |= KA_GATE_TAIL_LIMITED;
    show_response(f, &v->exchanges->last);
    ka_finding_frame(f, "fin", v->close.at);
    ka_finding_value(f, "idle", v->close.idle_ns, KA_NS);
    ka_finding_value(f, "response_number", v->exchanges->last.number, KA_COUNT);
    ka_finding_value(f, "timeout", ka_view_timeout_ns(v), KA_NS);
    ka_finding_value(f, "before_at_this_server", (int64_t)v->repeated, KA_COUNT);
    return true;
}

/* Open at the end longer than any policy allows: idle-forever says more. */
static bool is_forever(const ka_view *v, int64_t idle_ns)
{
    return v->capture_ended && idle_ns > v->limits->idle_forever_ns;
}

bool ka_rule_kept_late(const ka_view *v, ka_finding *f)
{
    int64_t timeout_ns = ka_view_timeout_ns(v);
    int64_t open_ns = ka_view_idle_ns(v);
    bool closed_late = v->close.by == KA_SIDE_SERVER && v->close.verdict == KA_VERDICT_LATE;
    if (ka_rules_is_reset_by_middle(v) || ka_rules_is_ignored(v))
        return false; /* nobody knows how long the server kept it */
    if (timeout_ns == KA_NONE || !v->exchanges->last.persists || v->exchanges->stray)
        return false;
    if (!closed_late && (open_ns == KA_NONE || open_ns <= timeout_ns + ka_view_late_ns(v, timeout_ns) ||
                         is_forever(v, open_ns)))
        return false;
    f->at = closed_late ? v->close.at : v->exchanges->last.end_at;
    show_response(f, &v->exchanges->last);
    if (closed_late)
        ka_finding_frame(f, ka_how_name(v->close.how), v->close.at);
    ka_finding_value(f, "idle", closed_late ? v->close.idle_ns : open_ns, KA_NS);
    ka_finding_value(f, "timeout", timeout_ns, KA_NS);
    return true;
}

bool ka_rules_expired(const ka_view *v, const ka_response *before, const ka_request *request)
{
    int64_t timeout_ns = response_timeout_ns(before);
    if (timeout_ns == KA_NONE || request->idle_before_ns == KA_NONE || !before->persists)
        return false;
    return request->idle_before_ns - v->rtt_client_ns > timeout_ns + ka_view_early_ns(v, v->server);
}

bool ka_rule_reuse_after_expiry(const ka_view *v, ka_finding *f)
{
    if (!ka_rules_expired(v, v->before, v->request))
        return false;
    int64_t timeout_ns = response_timeout_ns(v->before);
    int64_t client_idle_ns = v->request->idle_before_ns - v->rtt_client_ns;
    f->at = v->request->first_at;
    show_response(f, v->before);
    ka_finding_frame(f, "request", v->request->first_at);
    ka_finding_value(f, "request_number", (int64_t)v->request->number, KA_COUNT);
    ka_finding_value(f, "client_idle", client_idle_ns, KA_NS);
    ka_finding_value(f, "timeout", timeout_ns, KA_NS);
    ka_finding_value(f, "margin", timeout_ns - v->request->idle_before_ns - v->rtt_server_ns, KA_NS);
    show_paths(v, f);
    return true;
}

bool ka_rule_race_exposure(const ka_view *v, ka_finding *f)
{
    int64_t timeout_ns = response_timeout_ns(v->before);
    if (timeout_ns == KA_NONE || timeout_ns == 0 || v->request == NULL ||
        v->request->idle_before_ns == KA_NONE)
        return false;
    int64_t gap_ns = v->request->idle_before_ns;
    int64_t margin_ns = timeout_ns - (gap_ns + v->rtt_server_ns);
    int64_t wanted_ns = ka_larger(2 * v->rtt_ns, v->limits->reuse_margin_ns);
    if (!v->before->persists || margin_ns >= wanted_ns)
        return false;
    if (gap_ns < timeout_ns / 2) /* a short timeout alone exposes nobody who comes back at once */
        return false;
    if (ka_rules_expired(v, v->before, v->request))
        return false; /* reuse-after-expiry */
    f->at = v->request->first_at;
    show_response(f, v->before);
    ka_finding_frame(f, "request", v->request->first_at);
    ka_finding_value(f, "request_number", (int64_t)v->request->number, KA_COUNT);
    ka_finding_value(f, "margin", margin_ns, KA_NS);
    ka_finding_value(f, "wanted", wanted_ns, KA_NS);
    ka_finding_value(f, "idle", gap_ns, KA_NS);
    ka_finding_value(f, "timeout", timeout_ns, KA_NS);
    show_paths(v, f);
    return true;
}

/* When the gap after the last response ended: with a request, a close, or not yet. */
static ka_moment gap_end(const ka_view *v)
{
    const ka_request *oldest = ka_exchanges_oldest(v->exchanges);
    ka_moment end = v->close.by != KA_SIDE_NONE ? v->close.at : v->now;
    ka_moment next = oldest != NULL ? oldest->first_at : v->begun.at;
    return next.frame != 0 && next.time_ns < end.time_ns ? next : end;
}

bool ka_rule_timeout_zero(const ka_view *v, ka_finding *f)
{
    const ka_response *last = &v->exchanges->last;
    if (v->exchanges->completed == 0 || last->timeout_s != 0 || !last->effective)
        return false;
    ka_moment end = gap_end(v);
    int64_t open_ns = end.time_ns > last->end_at.time_ns ? end.time_ns - last->end_at.time_ns : 0;
    if (open_ns > v->limits->zero_grace_ns)
        f->severity = KA_WARN;
    f->at = (ka_moment){last->first_ns, last->first_frame};
    show_response(f, last);
    ka_finding_frame(f, ka_how_name(v->close.how), v->close.at);
    ka_finding_value(f, "open_for", open_ns, KA_NS);
    return true;
}
