/* rules_count.c - max exceeded, and Connection: close.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rules.h"
#include "order.h"

/* A single sample can mean what remains or the total: the more generous reading holds. */
int64_t ka_rules_allowed(const ka_view *v, const ka_response *response)
{
    const ka_max_track *track = &v->exchanges->max;
    if (response == NULL || track->mixed)
        return -1;
    if (track->style == KA_MAX_FIXED) /* a response without it, as Node's last one, takes nothing back */
        return (v->failed_gates & KA_GATE_MID_START) ? -1 : track->latest;
    return response->max < 0 ? -1 : (int64_t)response->number + response->max;
}

/* Of two readings of a max the one that gives the server its reason: a single sample may be the total, and so
 * may any equal ones where the beginning was not captured. */
bool ka_rules_max_reached(const ka_view *v)
{
    const ka_response *last = &v->exchanges->last;
    const ka_max_track *track = &v->exchanges->max;
    if (last->max < 0 || track->mixed)
        return false;
    if (track->style == KA_MAX_FIXED && (v->failed_gates & KA_GATE_MID_START))
        return true;
    int64_t total = track->style == KA_MAX_COUNT_DOWN ? (int64_t)last->number + last->max : last->max;
    return last->number >= (uint64_t)total;
}

bool ka_rule_max_exceeded(const ka_view *v, ka_finding *f)
{
    int64_t allowed = ka_rules_allowed(v, v->before);
    if (allowed < 0 || (int64_t)v->request->number <= allowed)
        return false;
    if (v->request->ack < v->before->end)
        return false; /* pipelined before the client could know */
    f->at = v->request->first_at;
    ka_finding_frame(f, "advert", (ka_moment){v->before->first_ns, v->before->first_frame});
    ka_finding_frame(f, "response_end", v->before->end_at);
    ka_finding_frame(f, "request", v->request->first_at);
    ka_finding_value(f, "request_number", (int64_t)v->request->number, KA_COUNT);
    ka_finding_value(f, "allowed", allowed, KA_COUNT);
    ka_finding_value(f, "max", v->before->max >= 0 ? v->before->max : v->exchanges->max.latest, KA_COUNT);
    return true;
}

/* When the server closed, or the client, or nobody until now: *by tells. */
static ka_moment open_until(const ka_view *v, ka_side *by)
{
    ka_how client_how, server_how;
    ka_moment client = ka_transport_ended(v->client, &client_how);
    ka_moment server = ka_transport_ended(v->server, &server_how);
    *by = v->close.by;
    if (v->close.by == KA_SIDE_NONE)
        return v->now;
    return v->close.by == KA_SIDE_SERVER ? server : client;
}

bool ka_rule_close_not_honoured(const ka_view *v, ka_finding *f)
{
    const ka_response *last = &v->exchanges->last;
    int64_t limit_ns = ka_larger(2 * v->rtt_ns, v->limits->close_grace_ns);
    ka_side by;
    ka_moment until = open_until(v, &by);
    if (v->exchanges->completed == 0 || !last->close || last->until_close)
        return false;
    if (by == KA_SIDE_NONE && !v->capture_ended)
        return false;
    /* A client that still sends keeps the server reading (RFC 9112 section 9.6). */
    int64_t from_ns = last->end_at.time_ns;
    if (v->client->last_data_ns != KA_NONE && v->client->last_data_ns > from_ns &&
        v->client->last_data_ns < until.time_ns)
        from_ns = v->client->last_data_ns;
    if (until.time_ns - from_ns <= limit_ns)
        return false;
    if (by == KA_SIDE_CLIENT)
        f->severity = KA_NOTE;
    f->at = last->end_at;
    ka_finding_frame(f, "response_end", last->end_at);
    ka_finding_frame(f, "advert", (ka_moment){last->first_ns, last->first_frame});
    ka_finding_frame(f, ka_how_name(v->close.how), v->close.at);
    ka_finding_value(f, "open_for", until.time_ns - last->end_at.time_ns, KA_NS);
    ka_finding_value(f, "allowed", limit_ns, KA_NS);
    return true;
}
