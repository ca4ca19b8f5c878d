/* content.c - what a direction's bytes are, and what the core is told of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/content.h"

#include "stream/content_parts.h"
#include "stream/h2.h"
#include "stream/http.h"
#include "stream/tls.h"

/* ---- Leaving a state ------------------------------------------------------------------------ */

static bool has_parser(const stream_half *half)
{
    return half->content == HALF_HTTP && half->http != NULL;
}

static bool has_walker(const stream_half *half)
{
    return half->content == HALF_TLS && half->tls != NULL;
}

void content_drop_parsers(stream_context *context, stream_half *half)
{
    if (has_parser(half))
        http_parser_free(context, half->http);
    if (has_walker(half))
        tls_walker_free(context, half->tls);
    if (half->content == HALF_H2 && half->h2 != NULL)
        h2_walker_free(context, half->h2);
    if (half->content == HALF_PREAMBLE)
        content_preamble_drop(context, half);
    half->http = NULL;
}

void content_drop(stream_context *context, stream_half *half)
{
    content_drop_parsers(context, half);
    reassembly_drop(context, half);
}

void content_ignore(stream_context *context, stream_half *half)
{
    content_drop_parsers(context, half);
    half->content = HALF_IGNORED;
    half->held = false;
}

static void ignore_both(const content_place *place)
{
    content_ignore(place->context, &place->flow->halves[0]);
    content_ignore(place->context, &place->flow->halves[1]);
}

/* These bytes are not what they were taken for. Only the first ones of a connection tell that it is another
 * protocol; in mid-stream it was a wrong guess, and the rest of the segment is no better. */
void content_give_up(const content_place *place, stream_run *run)
{
    if (place->flow->protocol == KA_PROTOCOL_NONE && place->flow->tunnelled) {
        ignore_both(place);
        return;
    }
    if (place->flow->protocol == KA_PROTOCOL_NONE && !place->flow->began_with_syn) {
        content_drop_parsers(place->context, place->half);
        place->half->content = HALF_LOST;
        run_advance(run, run->len_bytes);
        return;
    }
    if (place->flow->protocol == KA_PROTOCOL_NONE) {
        content_tell_protocol(place, KA_PROTOCOL_OTHER);
        ignore_both(place);
        return;
    }
    if (place->flow->protocol == KA_PROTOCOL_HTTP || place->flow->protocol == KA_PROTOCOL_H2C)
        content_fail_gate(place, KA_GATE_UNFRAMED);
    content_ignore(place->context, place->half);
}

/* The bytes that follow are of an unknown place in their protocol. */
static void lose(const content_place *place, ka_gate gate)
{
    if (place->flow->protocol != KA_PROTOCOL_NONE)
        content_fail_gate(place, gate);
    content_drop_parsers(place->context, place->half);
    place->half->content = HALF_LOST;
    place->flow->methods_unsure = true;
}

/* ---- Requests and their responses ----------------------------------------------------------- */

/* Whether nothing of the direction is under way: all its bytes up to `seq` made whole messages. */
static bool is_between_messages(const stream_half *half, uint32_t seq)
{
    return half->started && half->content != HALF_IGNORED && !has_parser(half) && half->pieces == NULL &&
           half->next_seq == seq;
}

static bool has_expect(const ka_message *message)
{
    for (size_t i = 0; i < message->field_count; i++) {
        if (message->fields[i].name == KA_FIELD_EXPECT)
            return true;
    }
    return false;
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
    if (parser->state != HTTP_STATE_COMPLETE && (!flow->began_with_syn || has_expect(&parser->message)))
        place->context->facts->head_seen(flow->connection, &parser->message);
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
    content_tell_protocol(place, KA_PROTOCOL_HTTP);
    if (!parser->message.is_response) {
        on_request_head(place);
        return;
    }
    on_response_head(place);
    ka_framing framing = parser->message.framing;
    bool counted = framing == KA_FRAMING_LENGTH && place->flow->began_with_syn;
    if (!counted && framing != KA_FRAMING_NONE && framing != KA_FRAMING_TUNNEL)
        place->context->facts->head_seen(place->flow->connection, &parser->message);
}

/* Behind a 2xx to CONNECT anything may begin. */
static void enter_tunnel(const content_place *place)
{
    stream_flow *flow = place->flow;
    for (unsigned direction = 0; direction < 2; direction++) {
        stream_half *half = &flow->halves[direction];
        if (half->content == HALF_HTTP) {
            content_drop_parsers(place->context, half);
            half->content = HALF_START;
        }
        half->held = false;
    }
    flow->tunnelled = true;
    flow->protocol = KA_PROTOCOL_NONE;
    flow_clear_methods(flow);
}

static void on_message(const content_place *place)
{
    stream_context *context = place->context;
    stream_half *half = place->half;
    const ka_message *message = &half->http->message;
    bool is_connect = !message->is_response && http_request_method(half->http) == METHOD_CONNECT;
    context_failed(context, context->facts->message_seen(context->audit, place->flow->connection, message));
    if (message->framing == KA_FRAMING_TUNNEL) {
        if (content_h2_is_wanted(message))
            content_h2_upgrade(place);
        else if (message->status == 101)
            ignore_both(place);
        else
            enter_tunnel(place);
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
        if (place->flow->protocol == KA_PROTOCOL_TLS || place->half->role == HALF_RESPONSES)
            content_give_up(place, run);
        else
            content_h2_preface(place);
        break;
    case HTTP_MALFORMED:
        content_give_up(place, run);
        break;
    case HTTP_TOO_LONG:
        content_fail_gate(place, KA_GATE_UNFRAMED);
        content_ignore(place->context, place->half);
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
        content_ignore(place->context, half);
        return true;
    }
    return on_http_event(place, http_parse(place->context, half->http, run), run);
}

/* ---- TLS ------------------------------------------------------------------------------------ */

static void on_record(const content_place *place)
{
    stream_context *context = place->context;
    ka_bytes *record = &place->half->tls->record;
    const tls_hello *hello = &place->half->tls->hello;
    record->direction = (uint8_t)place->direction;
    if (tls_hello_is_whole(hello))
        context_failed(context, context->facts->tls_alpn_seen(context->audit, place->flow->connection,
                                                              tls_hello_is_clients(hello), hello->alpn));
    if (record->tls_type <= 23)
        context_failed(context,
                       context->facts->tls_record_seen(context->audit, place->flow->connection, record));
    ka_slice name = tls_hello_server_name(hello);
    if (name.len_bytes > 0)
        context_failed(context, context->facts->tls_name_seen(context->audit, place->flow->connection,
                                                              record->direction, name));
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
        content_ignore(place->context, half);
        return true;
    }
    switch (tls_walk(half->tls, run)) {
    case TLS_MORE:
        return false;
    case TLS_HEADER:
        content_tell_protocol(place, KA_PROTOCOL_TLS);
        break;
    case TLS_COMPLETE:
        on_record(place);
        break;
    case TLS_NONSENSE:
        content_give_up(place, run);
        break;
    }
    return true;
}

/* ---- Finding out ---------------------------------------------------------------------------- */

/* The other side has said so (and this is no preface), or these are the first SETTINGS of a server that does
 * not wait for it. */
static bool is_start_of_h2(const content_place *place, const stream_run *run)
{
    uint8_t protocol = place->flow->protocol;
    if (protocol == KA_PROTOCOL_NONE)
        return run->bytes[0] == 0;
    return protocol == KA_PROTOCOL_H2C && run->bytes[0] != 'P';
}

/* The direction's first byte decides who looks at the next ones. */
static bool start(const content_place *place, const stream_run *run)
{
    if (run->captured_bytes == 0)
        return false;
    bool tls = place->flow->protocol == KA_PROTOCOL_TLS;
    if (tls ? run->bytes[0] >= 20 && run->bytes[0] <= 23 : run->bytes[0] == TLS_HANDSHAKE)
        place->half->content = HALF_TLS;
    else if (is_start_of_h2(place, run))
        place->half->content = HALF_H2;
    else if (place->flow->protocol == KA_PROTOCOL_NONE && !place->flow->tunnelled &&
             content_preamble_may_begin(run))
        place->half->content = HALF_PREAMBLE;
    else
        place->half->content = tls ? HALF_IGNORED : HALF_HTTP;
    return true;
}

/* In mid-stream only the start of a segment can be the start of a message, and only if it looks like one. */
static void find_way_back(const content_place *place, stream_run *run)
{
    stream_half *half = place->half;
    uint8_t protocol = place->flow->protocol;
    if (protocol == KA_PROTOCOL_H2C && run->captured_bytes > 0 && is_start_of_h2(place, run)) {
        content_h2_way_back(place); /* or there is none */
        return;
    }
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
    /* They may be the answer to what is asked; behind a hole its gate says so. */
    if (protocol == KA_PROTOCOL_HTTP && !place->flow->began_with_syn && place->flow->method_count > 0 &&
        half->role != HALF_REQUESTS)
        content_fail_gate(place, KA_GATE_UNFRAMED);
    run_advance(run, run->len_bytes);
}

/* Bytes that are missing: `at` tells their segment when they were only cut off. */
static void miss(const content_place *place, uint32_t len_bytes, const ka_moment *at)
{
    stream_half *half = place->half;
    if (half->content == HALF_IGNORED || half->content == HALF_LOST)
        return;
    if (half->content == HALF_H2) {
        content_h2_miss(place, len_bytes, at);
        return;
    }
    if (half->content == HALF_PREAMBLE && content_preamble_skip(place, len_bytes, at))
        return;
    bool kept = (has_parser(half) && http_skip(half->http, len_bytes, at)) ||
                (has_walker(half) && tls_skip(half->tls, len_bytes, at));
    if (!kept) {
        lose(place, at != NULL ? KA_GATE_SNAPLEN : KA_GATE_GAP);
        return;
    }
    if (has_parser(half) && half->http->state == HTTP_STATE_COMPLETE)
        on_message(place);
    else if (has_walker(half) && half->tls->body_left == 0)
        on_record(place);
}

/* ---- The receiver --------------------------------------------------------------------------- */

static bool follow(const content_place *place, stream_run *run)
{
    switch (place->half->content) {
    case HALF_START:
        return start(place, run);
    case HALF_PREAMBLE:
        return content_preamble_follow(place, run);
    case HALF_HTTP:
        return follow_http(place, run);
    case HALF_TLS:
        return follow_tls(place, run);
    case HALF_H2:
        return content_h2_follow(place, run);
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

void content_replay(const content_place *place, stream_run run)
{
    on_bytes(place->context, place->flow, place->direction, run);
}

static void on_hole(stream_context *context, stream_flow *flow, unsigned direction, uint32_t len_bytes)
{
    miss(&(content_place){context, flow, &flow->halves[direction], direction}, len_bytes, NULL);
}

static void on_fin(stream_context *context, stream_flow *flow, unsigned direction, ka_moment at)
{
    content_place place = {context, flow, &flow->halves[direction], direction};
    if (has_parser(place.half) && http_finish(place.half->http, at))
        on_message(&place);
    content_drop_parsers(context, place.half);
}

/* More follows a CONNECT than can wait for its response. */
static void on_overflow(stream_context *context, stream_flow *flow, unsigned direction)
{
    content_place place = {context, flow, &flow->halves[direction], direction};
    content_fail_gate(&place, KA_GATE_LOST_STATE);
    content_ignore(context, place.half);
}

const reassembly_receiver content_receiver = {on_bytes, on_hole, on_fin, on_overflow};
