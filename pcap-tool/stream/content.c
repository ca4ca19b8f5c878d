/* content.c - what a direction's bytes are, and what the core is told of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/content.h"

#include <strings.h>

#include "stream/h2.h"
#include "stream/http.h"
#include "stream/tls.h"

/* One direction, while its bytes are looked at. */
typedef struct content_place {
    stream_context *context;
    stream_flow *flow;
    stream_half *half;
    unsigned direction;
} content_place;

/* ---- Leaving a state ------------------------------------------------------------------------ */

static void drop_parsers(stream_context *context, stream_half *half)
{
    if (half->http != NULL)
        http_parser_free(context, half->http);
    if (half->content == HALF_H2 && half->h2 != NULL)
        h2_walker_free(context, half->h2);
    else if (half->tls != NULL)
        tls_walker_free(context, half->tls);
    half->http = NULL;
    half->tls = NULL;
}

void content_drop(stream_context *context, stream_half *half)
{
    drop_parsers(context, half);
    reassembly_drop(context, half);
}

static void ignore(stream_context *context, stream_half *half)
{
    drop_parsers(context, half);
    half->content = HALF_IGNORED;
    half->held = false;
}

static void ignore_both(const content_place *place)
{
    ignore(place->context, &place->flow->halves[0]);
    ignore(place->context, &place->flow->halves[1]);
}

static void fail_gate(const content_place *place, ka_gate gate)
{
    place->context->facts->gate_failed(place->flow->connection, gate);
}

static void tell_protocol(const content_place *place, ka_protocol protocol)
{
    if (place->flow->protocol == protocol)
        return;
    place->flow->protocol = (uint8_t)protocol;
    place->context->facts->protocol_seen(place->flow->connection, protocol);
}

/* These bytes are not what they were taken for. Only the first ones of a connection tell that it is another
 * protocol; in mid-stream it was a wrong guess, and the rest of the segment is no better. */
static void give_up(const content_place *place, stream_run *run)
{
    if (place->flow->protocol == KA_PROTOCOL_NONE && !place->flow->began_with_syn) {
        drop_parsers(place->context, place->half);
        place->half->content = HALF_LOST;
        run_advance(run, run->len_bytes);
        return;
    }
    if (place->flow->protocol == KA_PROTOCOL_NONE) {
        tell_protocol(place, KA_PROTOCOL_OTHER);
        ignore_both(place);
        return;
    }
    if (place->flow->protocol == KA_PROTOCOL_HTTP || place->flow->protocol == KA_PROTOCOL_H2C)
        fail_gate(place, KA_GATE_UNFRAMED);
    ignore(place->context, place->half);
}

/* The bytes that follow are of an unknown place in their protocol. */
static void lose(const content_place *place, ka_gate gate)
{
    if (place->flow->protocol != KA_PROTOCOL_NONE)
        fail_gate(place, gate);
    drop_parsers(place->context, place->half);
    place->half->content = HALF_LOST;
    place->flow->methods_unsure = true;
}

/* ---- HTTP/2 --------------------------------------------------------------------------------- */

/* The direction goes on in HTTP/2; so much of the preface has gone by. */
static void become_h2(const content_place *place, unsigned direction, size_t preface_bytes)
{
    stream_half *half = &place->flow->halves[direction];
    drop_parsers(place->context, half);
    half->content = HALF_H2;
    half->h2 = h2_walker_new(place->context, preface_bytes, half->h2_begun);
    if (half->h2 == NULL)
        ignore(place->context, half);
}

/* The client says it speaks HTTP/2; the server may have said so before. */
static void on_preface(const content_place *place)
{
    stream_half *server = &place->flow->halves[!place->direction];
    size_t preface_bytes = (size_t)place->half->http->message.len_bytes;
    tell_protocol(place, KA_PROTOCOL_H2C);
    become_h2(place, place->direction, preface_bytes);
    if (server->content != HALF_H2)
        become_h2(place, !place->direction, H2_PREFACE_BYTES);
}

/* A 101 that is for HTTP/2 (RFC 7540 section 3.2). */
static bool is_for_h2(const ka_message *m)
{
    static const char name[] = "h2c";
    for (size_t i = 0; i < m->field_count; i++) {
        ka_slice value = m->fields[i].value;
        if (m->fields[i].name == KA_FIELD_UPGRADE && value.len_bytes == sizeof name - 1 &&
            strncasecmp(value.bytes, name, value.len_bytes) == 0)
            return m->status == 101;
    }
    return false;
}

/* Behind a 101: the client's preface is still to come, as it waits for it. */
static void on_upgrade(const content_place *place)
{
    tell_protocol(place, KA_PROTOCOL_H2C);
    become_h2(place, place->direction, H2_PREFACE_BYTES);
    become_h2(place, !place->direction, 0);
}

static void on_frame(const content_place *place)
{
    stream_context *context = place->context;
    h2_walker *walker = place->half->h2;
    walker->frame.direction = (uint8_t)place->direction;
    tell_protocol(place, KA_PROTOCOL_H2C);
    context_failed(context,
                   context->facts->h2_frame_seen(context->audit, place->flow->connection, &walker->frame));
    h2_walker_free(context, walker);
    place->half->h2 = NULL;
    place->half->h2_begun = true;
}

static bool follow_h2(const content_place *place, stream_run *run)
{
    if (place->half->h2 == NULL && run->len_bytes == 0)
        return false;
    if (place->half->h2 == NULL)
        become_h2(place, place->direction, H2_PREFACE_BYTES);
    if (place->half->content != HALF_H2)
        return true;
    switch (h2_walk(place->half->h2, run)) {
    case H2_MORE:
        return false;
    case H2_COMPLETE:
        on_frame(place);
        break;
    case H2_NONSENSE:
        give_up(place, run);
        break;
    }
    return true;
}

/* Bytes of the direction are missing: within a frame's body they do not matter. */
static void miss_h2(const content_place *place, uint32_t len_bytes, const ka_moment *at)
{
    if (place->half->h2 == NULL || !h2_skip(place->half->h2, len_bytes, at)) {
        fail_gate(place, KA_GATE_UNFRAMED);
        ignore(place->context, place->half);
    } else if (h2_is_complete(place->half->h2)) {
        on_frame(place);
    }
}

/* ---- Requests and their responses ----------------------------------------------------------- */

/* Whether nothing of the direction is under way: all its bytes up to `seq` made whole messages. */
static bool is_between_messages(const stream_half *half, uint32_t seq)
{
    return half->started && half->content != HALF_IGNORED && half->http == NULL && half->pieces == NULL &&
           half->next_seq == seq;
}

static void on_request_head(const content_place *place)
{
    stream_flow *flow = place->flow;
    http_parser *parser = place->half->http;
    const stream_half *other = &flow->halves[!place->direction];
    /* The client had every response there was when it sent this: whatever was missed is over. */
    if (flow->methods_unsure && (!other->started || is_between_messages(other, parser->message.ack))) {
        flow->methods_unsure = false;
        flow_clear_methods(flow);
    }
    flow_push_method(flow, http_request_method(parser));
    http_set_method(parser, METHOD_OTHER);
}

/* The method of the request this response answers. */
static flow_method answered_method(const content_place *place, const ka_message *message)
{
    stream_flow *flow = place->flow;
    stream_half *other = &flow->halves[!place->direction];
    bool is_interim = message->status / 100 == 1 && message->status != 101;
    if (is_interim)
        return METHOD_OTHER;
    bool behind_connect = other->held && flow->method_count == 1;
    /* It acknowledges bytes that have not come by yet: a request among them may be the one. */
    if (other->started && !other->held && seq_minus(message->ack, other->next_seq) > 0)
        flow->methods_unsure = true;
    flow_method method = flow_pop_method(flow);
    return flow->methods_unsure && !behind_connect ? METHOD_UNKNOWN : method;
}

static void on_response_head(const content_place *place)
{
    stream_flow *flow = place->flow;
    http_parser *parser = place->half->http;
    flow_method method = answered_method(place, &parser->message);
    http_set_method(parser, method);
    if (method == METHOD_CONNECT)
        flow->halves[!place->direction].held = false;
}

static void on_head(const content_place *place)
{
    http_parser *parser = place->half->http;
    place->half->role = parser->role;
    parser->message.direction = (uint8_t)place->direction;
    tell_protocol(place, KA_PROTOCOL_HTTP);
    if (!parser->message.is_response) {
        on_request_head(place);
        return;
    }
    on_response_head(place);
    if (parser->message.framing == KA_FRAMING_CHUNKED || parser->message.framing == KA_FRAMING_UNTIL_CLOSE)
        place->context->facts->head_seen(place->flow->connection, &parser->message);
}

static void on_message(const content_place *place)
{
    stream_context *context = place->context;
    stream_half *half = place->half;
    const ka_message *message = &half->http->message;
    bool is_connect = !message->is_response && http_request_method(half->http) == METHOD_CONNECT;
    context_failed(context, context->facts->message_seen(context->audit, place->flow->connection, message));
    if (message->framing == KA_FRAMING_TUNNEL) {
        if (is_for_h2(message))
            on_upgrade(place);
        else
            ignore_both(place);
        return;
    }
    half->held = is_connect;
    if (http_next(context, half->http))
        return;
    http_parser_free(context, half->http);
    half->http = NULL;
}

static void on_stray(const content_place *place)
{
    stream_context *context = place->context;
    const ka_message *line = &place->half->http->message;
    ka_bytes stray = {.direction = (uint8_t)place->direction,
                      .seq = line->seq,
                      .len_bytes = line->len_bytes,
                      .first = line->first,
                      .last = line->last};
    context_failed(context, context->facts->stray_seen(context->audit, place->flow->connection, &stray));
    http_parser_free(context, place->half->http);
    place->half->http = NULL;
}

/* Returns false when the run cannot be followed further: it is used up or its next byte was cut off. */
static bool on_http_event(const content_place *place, http_event event, stream_run *run)
{
    switch (event) {
    case HTTP_MORE:
        return false;
    case HTTP_STRAY:
        on_stray(place);
        break;
    case HTTP_HEAD_WHOLE:
        on_head(place);
        break;
    case HTTP_COMPLETE:
        on_message(place);
        break;
    case HTTP_PREFACE:
        if (place->flow->protocol != KA_PROTOCOL_NONE) {
            give_up(place, run);
            break;
        }
        on_preface(place);
        break;
    case HTTP_MALFORMED:
        give_up(place, run);
        break;
    case HTTP_TOO_LONG:
        fail_gate(place, KA_GATE_UNFRAMED);
        ignore(place->context, place->half);
        break;
    }
    return true;
}

static bool follow_http(const content_place *place, stream_run *run)
{
    stream_half *half = place->half;
    if (half->http == NULL && run->len_bytes == 0)
        return false;
    if (half->http == NULL)
        half->http = http_parser_new(place->context, half->role);
    if (half->http == NULL) {
        ignore(place->context, half);
        return true;
    }
    return on_http_event(place, http_parse(place->context, half->http, run), run);
}

/* ---- TLS ------------------------------------------------------------------------------------ */

static void on_record(const content_place *place)
{
    stream_context *context = place->context;
    ka_bytes *record = &place->half->tls->record;
    record->direction = (uint8_t)place->direction;
    if (record->tls_type <= 23)
        context_failed(context,
                       context->facts->tls_record_seen(context->audit, place->flow->connection, record));
    tls_walker_free(context, place->half->tls);
    place->half->tls = NULL;
}

static bool follow_tls(const content_place *place, stream_run *run)
{
    stream_half *half = place->half;
    if (half->tls == NULL && run->len_bytes == 0)
        return false;
    if (half->tls == NULL)
        half->tls = tls_walker_new(place->context);
    if (half->tls == NULL) {
        ignore(place->context, half);
        return true;
    }
    switch (tls_walk(half->tls, run)) {
    case TLS_MORE:
        return false;
    case TLS_HEADER:
        tell_protocol(place, KA_PROTOCOL_TLS);
        break;
    case TLS_COMPLETE:
        on_record(place);
        break;
    case TLS_NONSENSE:
        give_up(place, run);
        break;
    }
    return true;
}

/* ---- Finding out ---------------------------------------------------------------------------- */

/* The direction's first byte decides who looks at the next ones. */
static bool start(const content_place *place, const stream_run *run)
{
    if (run->captured_bytes == 0)
        return false;
    bool tls = place->flow->protocol == KA_PROTOCOL_TLS;
    if (tls ? run->bytes[0] >= 20 && run->bytes[0] <= 23 : run->bytes[0] == TLS_HANDSHAKE)
        place->half->content = HALF_TLS;
    else if (!tls && run->bytes[0] == 0 && place->flow->protocol != KA_PROTOCOL_HTTP)
        place->half->content = HALF_H2; /* SETTINGS, from a server that does not wait for the preface */
    else
        place->half->content = tls ? HALF_IGNORED : HALF_HTTP;
    return true;
}

/* In mid-stream only the start of a segment can be the start of a message, and only if it looks like one. */
static void find_way_back(const content_place *place, stream_run *run)
{
    stream_half *half = place->half;
    uint8_t protocol = place->flow->protocol;
    if (run->starts_segment && protocol != KA_PROTOCOL_TLS) {
        half_role role = http_plausible_start(run->bytes, run->captured_bytes);
        if (role != HALF_ROLE_UNKNOWN && (half->role == HALF_ROLE_UNKNOWN || half->role == role)) {
            half->content = HALF_HTTP;
            place->flow->methods_unsure = true;
            return;
        }
    }
    if (run->starts_segment && protocol != KA_PROTOCOL_HTTP && run->captured_bytes == run->len_bytes &&
        tls_plausible_segment(run->bytes, run->captured_bytes)) {
        half->content = HALF_TLS;
        return;
    }
    run_advance(run, run->len_bytes);
}

/* Bytes that are missing: `at` tells their segment when they were only cut off. */
static void miss(const content_place *place, uint32_t len_bytes, const ka_moment *at)
{
    stream_half *half = place->half;
    if (half->content == HALF_IGNORED || half->content == HALF_LOST)
        return;
    if (half->content == HALF_H2) {
        miss_h2(place, len_bytes, at);
        return;
    }
    bool kept = (half->http != NULL && http_skip(half->http, len_bytes, at)) ||
                (half->tls != NULL && tls_skip(half->tls, len_bytes, at));
    if (!kept) {
        lose(place, at != NULL ? KA_GATE_SNAPLEN : KA_GATE_GAP);
        return;
    }
    if (half->http != NULL && half->http->state == HTTP_STATE_COMPLETE)
        on_message(place);
    else if (half->tls != NULL && half->tls->body_left == 0)
        on_record(place);
}

/* ---- The receiver --------------------------------------------------------------------------- */

static bool follow(const content_place *place, stream_run *run)
{
    switch (place->half->content) {
    case HALF_START:
        return start(place, run);
    case HALF_HTTP:
        return follow_http(place, run);
    case HALF_TLS:
        return follow_tls(place, run);
    case HALF_H2:
        return follow_h2(place, run);
    case HALF_LOST:
        if (run->len_bytes > 0)
            find_way_back(place, run);
        return run->len_bytes > 0;
    default:
        run_advance(run, run->len_bytes);
        return false;
    }
}

static uint32_t on_bytes(stream_context *context, stream_flow *flow, unsigned direction, stream_run run)
{
    content_place place = {context, flow, &flow->halves[direction], direction};
    uint32_t len_bytes = run.len_bytes;
    while (!place.half->held && follow(&place, &run))
        continue;
    if (run.len_bytes > 0 && !place.half->held) { /* the rest was cut off by the snapshot length */
        miss(&place, run.len_bytes, &run.at);
        run_advance(&run, run.len_bytes);
    }
    return len_bytes - run.len_bytes;
}

static void on_hole(stream_context *context, stream_flow *flow, unsigned direction, uint32_t len_bytes)
{
    miss(&(content_place){context, flow, &flow->halves[direction], direction}, len_bytes, NULL);
}

static void on_fin(stream_context *context, stream_flow *flow, unsigned direction, ka_moment at)
{
    content_place place = {context, flow, &flow->halves[direction], direction};
    if (place.half->http != NULL && http_finish(place.half->http, at))
        on_message(&place);
    drop_parsers(context, place.half);
}

/* More follows a CONNECT than can wait for its response. */
static void on_overflow(stream_context *context, stream_flow *flow, unsigned direction)
{
    content_place place = {context, flow, &flow->halves[direction], direction};
    fail_gate(&place, KA_GATE_LOST_STATE);
    ignore(context, place.half);
}

const reassembly_receiver content_receiver = {on_bytes, on_hole, on_fin, on_overflow};
