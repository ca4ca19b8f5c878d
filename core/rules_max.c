/* rules_max.c - how max counts, and closes before it is used up.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rules.h"

/* Idle timers are set in whole seconds: a close that comes sooner is not by one. */
#define SHORTEST_TIMER_NS KA_SECOND_NS

/* How many requests the max allows in all, by the reading that allows fewer; -1: not told. */
static int64_t promised(const ka_view *v)
{
    const ka_response *last = &v->exchanges->last;
    const ka_max_track *track = &v->exchanges->max;
    if (track->mixed || track->latest < 0)
        return -1;
    int64_t told_by = (int64_t)last->number - (last->max < 0 ? 1 : 0); /* a last response often has none */
    if (track->style == KA_MAX_COUNT_DOWN)
        return told_by + track->latest;
    return (v->failed_gates & KA_GATE_MID_START) ? -1 : track->latest;
}

/* The response said close on its own account. */
static bool is_announced(const ka_response *last)
{
    return last->close && !last->asked_close && !last->http10;
}

/* Without a word, after some time, which was too short for an idle timer. closed-early judges it where a
 * timeout was advertised, close-unannounced right behind the response. */
static bool is_abrupt(const ka_view *v)
{
    return v->exchanges->last.persists && !v->exchanges->last.asked_close && !v->exchanges->unasked &&
           !v->exchanges->stray && v->close.verdict == KA_VERDICT_UNADVERTISED &&
           v->close.idle_ns != KA_NONE && v->close.idle_ns < SHORTEST_TIMER_NS && !ka_rules_unannounced(v);
}

bool ka_rule_max_closed_early(const ka_view *v, ka_finding *f)
{
    const ka_response *last = &v->exchanges->last;
    int64_t total = promised(v);
    if (v->close.by != KA_SIDE_SERVER || v->exchanges->completed == 0 || total <= (int64_t)last->number)
        return false;
    if (ka_rules_excuses_close(last->status) || !(is_announced(last) || is_abrupt(v)))
        return false;
    if (is_announced(last))
        f->severity = KA_CHAT; /* as a server does that drains before a restart */
    f->at = v->close.at;
    ka_finding_frame(f, "response_end", last->end_at);
    ka_finding_frame(f, "advert", (ka_moment){last->first_ns, last->first_frame});
    ka_finding_frame(f, ka_how_name(v->close.how), v->close.at);
    ka_finding_value(f, "response_number", last->number, KA_COUNT);
    ka_finding_value(f, "max", v->exchanges->max.latest, KA_COUNT);
    ka_finding_value(f, "remaining", total - last->number, KA_COUNT);
    ka_finding_value(f, "idle", v->close.idle_ns, KA_NS);
    return true;
}

static void show_both(const ka_view *v, ka_finding *f)
{
    f->at = v->message->first;
    if (v->before->max >= 0) /* else it is further back */
        ka_finding_frame(f, "earlier_advert", (ka_moment){v->before->first_ns, v->before->first_frame});
    ka_finding_frame(f, "advert", v->message->first);
    ka_finding_value(f, "max", v->response->max, KA_COUNT);
    ka_finding_value(f, "max_before", v->max_before, KA_COUNT);
    ka_finding_value(f, "response_number", v->response->number, KA_COUNT);
}

static bool has_both(const ka_view *v)
{
    return v->response != NULL && v->before != NULL && v->response->max >= 0 && v->max_before >= 0;
}

/* Of two responses in a row: what lies between them may have had another value, or none. */
bool ka_rule_max_not_decreasing(const ka_view *v, ka_finding *f)
{
    if (!has_both(v) || v->exchanges->max.style != KA_MAX_FIXED || v->response->max != v->before->max ||
        ka_transport_unseen(v->server, v->before->end, v->response->first))
        return false;
    show_both(v, f);
    return true;
}

/* What counts down on one connection cannot rise on it: somebody joined several of them to one. But Apache's
 * virtual hosts have limits of their own. */
bool ka_rule_max_jump(const ka_view *v, ka_finding *f)
{
    if (!has_both(v) || v->exchanges->max.several_hosts || !v->exchanges->max.fell ||
        v->response->max <= v->max_before)
        return false;
    show_both(v, f);
    return true;
}
