/* exchange.c - requests paired with responses, outstanding count, idle gaps.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "exchange.h"

#include <string.h>

#include "memory.h"

void ka_exchanges_init(ka_exchanges *x)
{
    memset(x, 0, sizeof *x);
    x->last.timeout_s = -1;
    x->last.max = -1;
    x->max.first = -1;
    x->max.latest = -1;
}

ka_request *ka_exchanges_oldest(const ka_exchanges *x)
{
    return x->newest != NULL ? x->newest->next : NULL;
}

static void push(ka_exchanges *x, ka_request *request)
{
    if (x->newest == NULL) {
        request->next = request;
    } else {
        request->next = x->newest->next;
        x->newest->next = request;
    }
    x->newest = request;
    x->pending_count++;
}

static ka_request *pop(ka_exchanges *x)
{
    ka_request *oldest = ka_exchanges_oldest(x);
    if (oldest == x->newest)
        x->newest = NULL;
    else
        x->newest->next = oldest->next;
    x->pending_count--;
    return oldest;
}

void ka_exchanges_fini(ka_exchanges *x, const ka_allocator *allocator)
{
    while (x->newest != NULL)
        ka_memory_give(allocator, pop(x));
}

void ka_exchanges_again(ka_exchanges *x, const ka_allocator *allocator)
{
    ka_exchanges before = *x;
    ka_exchanges_fini(x, allocator);
    ka_exchanges_init(x);
    x->idle_count = before.idle_count;
    x->idle_longest_ns = before.idle_longest_ns;
    x->idle_total_ns = before.idle_total_ns;
    x->requests = before.requests;
    x->responses = before.responses;
}

void ka_exchanges_idle(ka_exchanges *x, int64_t idle_ns)
{
    x->idle_count++;
    /* Where the clock jumps back and forth, gaps sum up to more than there is time. */
    x->idle_total_ns = idle_ns < INT64_MAX - x->idle_total_ns ? x->idle_total_ns + idle_ns : INT64_MAX;
    if (idle_ns > x->idle_longest_ns)
        x->idle_longest_ns = idle_ns;
}

typedef struct span {
    uint64_t first;
    uint64_t end;
} span;

static span place(const ka_half *half, const ka_message *m)
{
    uint64_t end = ka_transport_unwrap(half, (uint32_t)(m->seq + m->len_bytes));
    return (span){end - m->len_bytes, end};
}

/* A request whose answer lies in bytes the capture missed: the client had seen more of the server's bytes
 * when it sent something later. It was answered, not lost. */
static void forget_unseen_answers(ka_exchanges *x, const ka_allocator *allocator, const ka_half *server,
                                  uint64_t later_ack)
{
    for (;;) {
        ka_request *oldest = ka_exchanges_oldest(x);
        if (oldest == NULL || later_ack <= oldest->ack ||
            !ka_transport_unseen(server, oldest->ack, later_ack))
            return;
        ka_memory_give(allocator, pop(x));
    }
}

/* The gap before a request, when the connection was idle and nothing in between was missed. */
static int64_t gap_before(const ka_exchanges *x, const ka_transport *t, unsigned client, uint64_t first,
                          uint64_t ack, const ka_message *m)
{
    const ka_half *from_client = &t->half[client];
    const ka_half *from_server = &t->half[!client];
    if (x->newest != NULL || x->last.end_at.frame == 0 || x->early)
        return KA_NONE;
    if (ka_transport_unseen(from_client, from_client->claimed, first) ||
        ka_transport_unseen(from_server, x->last.end, ack))
        return KA_NONE;
    int64_t gap_ns = m->first.time_ns - x->last.end_at.time_ns;
    return gap_ns >= 0 ? gap_ns : KA_NONE;
}

/* Enough to tell one name from another: FNV-1a, folded. */
static uint16_t hash_of(ka_slice name)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < name.len_bytes; i++)
        h = (h ^ (uint8_t)name.bytes[i]) * 16777619u;
    return name.len_bytes > 0 ? (uint16_t)(h ^ h >> 16) : 0;
}

static void copy_method(char *out, ka_slice method)
{
    size_t len_bytes = method.len_bytes < KA_METHOD_BYTES - 1 ? method.len_bytes : KA_METHOD_BYTES - 1;
    if (len_bytes > 0)
        memcpy(out, method.bytes, len_bytes);
    out[len_bytes] = '\0';
}

ka_status ka_exchanges_request(ka_exchanges *x, const ka_allocator *allocator, const ka_transport *t,
                               unsigned client, const ka_message *m, const ka_header *header,
                               ka_request **out)
{
    const ka_half *server = &t->half[!client];
    span at = place(&t->half[client], m);
    uint64_t ack = ka_transport_unwrap(server, m->ack);

    *out = NULL;
    if (at.end <= t->half[client].claimed)
        return KA_OK;
    x->skipped = false;
    if (x->early) {
        x->early = x->continued = false;
        return KA_OK;
    }
    ka_request *request = ka_memory_take(allocator, sizeof *request);
    if (request == NULL)
        return KA_NO_MEMORY;
    forget_unseen_answers(x, allocator, server, ack);
    request->first = at.first;
    request->end = at.end;
    request->ack = ack;
    request->first_at = m->first;
    request->end_at = m->last;
    x->went_on = x->went_on || x->last.unechoed || x->last.unbidden;
    x->requests++;
    request->number = ++x->numbered;
    request->close = header->connection.close;
    request->persists = ka_header_persists(header, m);
    request->asked_to_keep = header->connection.keep_alive || header->proxy_connection.keep_alive;
    request->wished_to_keep = header->keep_alive.present;
    request->version = m->version;
    request->host = hash_of(header->host);
    request->idle_before_ns = gap_before(x, t, client, at.first, ack, m);
    copy_method(request->method, m->method);
    if (request->idle_before_ns != KA_NONE)
        ka_exchanges_idle(x, ka_transport_open_ns(t, x->last.end_at.time_ns, m->first.time_ns));
    if (x->first_version == 0)
        x->first_version = m->version & 0x1f;
    push(x, request);
    if (x->pending_count > KA_PENDING_MAX) {
        ka_memory_give(allocator, pop(x));
        x->forgot = true;
    }
    *out = request;
    return KA_OK;
}

/* Consecutive values tell how the server counts (diagnoses: Apache counts down what remains, Node repeats the
 * total). */
static void track_max(ka_max_track *track, int64_t value, bool first, const ka_request *request)
{
    if (value == KA_NONE)
        return;
    int32_t max = (int32_t)value;
    uint16_t host = request != NULL ? request->host : 0;
    track->several_hosts |= host != 0 && track->host != 0 && host != track->host;
    track->host = host != 0 ? host : track->host;
    if (first)
        track->first = max;
    if (track->latest < 0) {
        track->style = KA_MAX_UNKNOWN;
    } else if (track->style == KA_MAX_UNKNOWN && !track->mixed) {
        track->style = max == track->latest       ? KA_MAX_FIXED
                       : max == track->latest - 1 ? KA_MAX_COUNT_DOWN
                                                  : KA_MAX_UNKNOWN;
        track->mixed = track->style == KA_MAX_UNKNOWN;
    } else if ((track->style == KA_MAX_FIXED && max != track->latest) ||
               (track->style == KA_MAX_COUNT_DOWN && max != track->latest - 1)) {
        track->style = KA_MAX_UNKNOWN;
        track->mixed = true;
    }
    track->fell = track->fell || max < track->latest;
    track->latest = max;
}

static void note_response(ka_exchanges *x, span at, const ka_message *m, const ka_header *header,
                          const ka_request *request)
{
    int64_t timeout_s = header->keep_alive.timeout_s;
    int64_t max = header->keep_alive.max;
    track_max(&x->max, max, x->responses == 1, request);
    bool asked_by_10 = request != NULL && request->version == 10;
    bool says_keep = header->connection.keep_alive || header->proxy_connection.keep_alive;
    x->last = (ka_response){
        .first = at.first,
        .end = at.end,
        .first_ns = m->first.time_ns,
        .first_frame = m->first.frame,
        .end_at = m->last,
        .timeout_s = timeout_s == KA_NONE ? -1 : (int32_t)timeout_s,
        .max = max == KA_NONE ? -1 : (int32_t)max,
        .status = m->status,
        .close = header->connection.close,
        .persists = ka_header_persists(header, m) &&
                    (request == NULL || request->persists || header->connection.keep_alive),
        .effective = ka_header_effective(header),
        .asked_close = request != NULL && request->close,
        .number = request != NULL ? (uint32_t)request->number : ++x->numbered,
        .until_close = m->framing == KA_FRAMING_UNTIL_CLOSE,
        .http10 = asked_by_10 || m->version == 10,
        .unechoed = asked_by_10 && request->asked_to_keep && !request->close && !says_keep &&
                    !header->connection.close,
        .unbidden =
            asked_by_10 && !request->asked_to_keep && !request->wished_to_keep && ka_header_effective(header),
    };
    x->undelimited = false;
    x->completed++;
    x->unasked = false;
    x->stray = false;
    x->tunnel = x->tunnel || m->framing == KA_FRAMING_TUNNEL;
    x->event_stream = header->event_stream;
}

/* 408 is the one response servers send unasked (RFC 9110 section 15.5.9); it answers a request only when the
 * server had some of that request when it was sent. */
static bool is_unasked(const ka_exchanges *x, const ka_message *m, uint64_t ack, const ka_unclaimed *begun)
{
    const ka_request *oldest = ka_exchanges_oldest(x);
    if (m->status != 408)
        return false;
    if (oldest != NULL)
        return ack <= oldest->first;
    return begun->seq == 0 || ack <= begun->seq;
}

ka_answer ka_exchanges_response(ka_exchanges *x, const ka_allocator *allocator, const ka_transport *t,
                                unsigned client, const ka_message *m, const ka_header *header,
                                ka_request **request)
{
    const ka_half *server = &t->half[!client];
    span at = place(server, m);
    uint64_t ack = ka_transport_unwrap(&t->half[client], m->ack);
    ka_unclaimed begun = ka_transport_unclaimed(t, client);

    *request = NULL;
    if (at.end <= server->claimed)
        return KA_ANSWER_OLD;
    if (x->first_version == 0)
        x->first_version = m->version & 0x1f;
    if (m->status >= 100 && m->status < 200 && m->status != 101) /* RFC 9110 section 15.2 */
        return KA_ANSWER_INTERIM;
    x->responses++;
    if (is_unasked(x, m, ack, &begun)) {
        track_max(&x->max, header->keep_alive.max, x->responses == 1, NULL);
        x->unasked = true;
        x->unasked_end_ns = m->last.time_ns;
        x->unasked_close = header->connection.close;
        x->unasked_timeout_s =
            header->keep_alive.timeout_s == KA_NONE ? -1 : (int32_t)header->keep_alive.timeout_s;
        return KA_ANSWER_UNASKED;
    }
    while (x->newest != NULL && x->newest != ka_exchanges_oldest(x) &&
           ka_exchanges_oldest(x)->next->ack <= at.first &&
           ka_transport_unseen(server, ka_exchanges_oldest(x)->ack, ka_exchanges_oldest(x)->next->ack))
        ka_memory_give(allocator, pop(x));
    /* A server answers what it has: a request that the response's ACK does not cover is not the one. */
    if (x->newest != NULL && ack > ka_exchanges_oldest(x)->first) {
        *request = pop(x);
        note_response(x, at, m, header, *request);
        return KA_ANSWER_PAIRED;
    }
    if (begun.seq != 0 && !x->early && ack > begun.seq) { /* answered before it was complete */
        x->early = true;
        x->requests++;
    } else if (x->early && ack > begun.seq) {
        x->skipped = true;
    }
    note_response(x, at, m, header, NULL);
    return KA_ANSWER_UNPAIRED;
}
