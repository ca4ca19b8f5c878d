/* rules_h2.c - HTTP/2 connections that end: without GOAWAY, or with streams nobody answered (RFC 9113 section
 * 6.8).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rules.h"

static void show_goaway(const ka_view *v, ka_finding *f)
{
    const ka_h2_goaway *g = v->connection->h2->by_server;
    if (g == NULL)
        return;
    ka_finding_frame(f, "goaway", g->at);
    ka_finding_value(f, "last_stream", g->last_stream, KA_COUNT);
}

bool ka_rule_h2_close_without_goaway(const ka_view *v, ka_finding *f)
{
    const ka_h2 *h2 = v->connection->h2;
    if (h2 == NULL || v->close.by != KA_SIDE_SERVER || v->close.how != KA_HOW_FIN)
        return false;
    /* Idle, as the server knew it; the client's GOAWAY would have asked for the close. */
    if (h2->ended.frame == 0 || v->close.idle_ns == KA_NONE || v->close.verdict == KA_VERDICT_ANNOUNCED)
        return false;
    f->at = v->close.at;
    ka_finding_frame(f, "response_end", h2->ended);
    ka_finding_frame(f, "fin", v->close.at);
    ka_finding_value(f, "idle", v->close.idle_ns, KA_NS);
    ka_finding_value(f, "requests", h2->requests, KA_COUNT);
    return true;
}

/* The client had the GOAWAY when it opened the stream. */
static bool is_after_goaway(const ka_h2 *h2, const ka_h2_stream *stream)
{
    return h2->by_server != NULL && stream->first != 0 && stream->ack >= h2->by_server->end;
}

/* The server had some of the request, and had not refused it, when it closed so soon that no processing
 * timeout can be the reason. */
static bool is_abandoned(const ka_view *v, const ka_h2_stream *stream)
{
    const ka_ending *server = v->server->ending;
    if (stream->first == 0 || !ka_h2_is_accepted(v->connection->h2, stream->id))
        return false;
    uint64_t received = v->close.how == KA_HOW_FIN ? server->fin_ack : server->rst_ack;
    int64_t after_ns = v->close.at.time_ns - stream->at.time_ns - v->rtt_server_ns;
    return received > stream->first && after_ns < v->limits->in_flight_limit_ns;
}

/* An open one that was lost; streams answered in part may be meant to last. */
static const ka_h2_stream *lost_stream(const ka_view *v, uint32_t *count)
{
    const ka_h2 *h2 = v->connection->h2;
    const ka_h2_stream *found = NULL;
    *count = 0;
    for (uint32_t i = 0; i < h2->open_count; i++) {
        const ka_h2_stream *stream = &h2->open[i];
        if (stream->answered || !(is_after_goaway(h2, stream) || is_abandoned(v, stream)))
            continue;
        found = found != NULL ? found : stream;
        ++*count;
    }
    return found;
}

bool ka_rule_h2_stream_lost(const ka_view *v, ka_finding *f)
{
    uint32_t count;
    if (v->connection->h2 == NULL || v->close.by != KA_SIDE_SERVER)
        return false;
    const ka_h2_stream *stream = lost_stream(v, &count);
    if (stream == NULL)
        return false;
    bool too_late = is_after_goaway(v->connection->h2, stream);
    f->fault = too_late ? KA_FAULT_CLIENT : KA_FAULT_SERVER;
    f->at = stream->at;
    f->values[0].number = count;
    ka_finding_frame(f, "request", stream->at);
    show_goaway(v, f);
    ka_finding_frame(f, ka_how_name(v->close.how), v->close.at);
    ka_finding_value(f, "stream_id", stream->id, KA_COUNT);
    ka_finding_value(f, "after_goaway", too_late ? 1 : 0, KA_COUNT);
    ka_finding_value(f, "before_close", v->close.at.time_ns - stream->at.time_ns, KA_NS);
    return true;
}
