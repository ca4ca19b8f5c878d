/* http.c - where one HTTP/1 message begins and ends (RFC 9112 section 6).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/http_parts.h"

#include <string.h>

#include "stream/start_line.h"

static const char response_start[HTTP_PEEK_BYTES + 1] = "HTTP/1.";

/* ---- Framing (RFC 9112 section 6.3) ---------------------------------------------------------- */

flow_method http_request_method(const http_parser *parser)
{
    ka_slice method = parser->message.method;
    if (method.len_bytes == 4 && memcmp(method.bytes, "HEAD", 4) == 0)
        return METHOD_HEAD;
    if (method.len_bytes == 7 && memcmp(method.bytes, "CONNECT", 7) == 0)
        return METHOD_CONNECT;
    return METHOD_OTHER;
}

static ka_framing framing_by_fields(const http_parser *parser)
{
    unsigned flags = parser->llhttp.flags;
    if (flags & F_CHUNKED)
        return KA_FRAMING_CHUNKED;
    if (flags & F_TRANSFER_ENCODING)
        return KA_FRAMING_UNTIL_CLOSE;
    if (flags & F_CONTENT_LENGTH)
        return KA_FRAMING_LENGTH;
    return parser->message.is_response ? KA_FRAMING_UNTIL_CLOSE : KA_FRAMING_NONE;
}

static ka_framing framing(const http_parser *parser, flow_method method)
{
    unsigned status = parser->message.status;
    if (!parser->message.is_response) /* CONNECT has no content (RFC 9110 section 9.3.6) */
        return http_request_method(parser) == METHOD_CONNECT ? KA_FRAMING_NONE : framing_by_fields(parser);
    if (status == 101 || (method == METHOD_CONNECT && status / 100 == 2))
        return KA_FRAMING_TUNNEL;
    if (method == METHOD_HEAD || status / 100 == 1 || status == 204 || status == 304)
        return KA_FRAMING_NONE;
    return framing_by_fields(parser);
}

static void set_state(http_parser *parser)
{
    switch (parser->message.framing) {
    case KA_FRAMING_LENGTH:
        parser->body_left = parser->message.body_bytes = parser->llhttp.content_length;
        parser->state = parser->body_left > 0 ? HTTP_STATE_LENGTH : HTTP_STATE_COMPLETE;
        break;
    case KA_FRAMING_CHUNKED:
        parser->state = HTTP_STATE_CHUNKED;
        break;
    case KA_FRAMING_UNTIL_CLOSE:
        parser->state = HTTP_STATE_UNTIL_CLOSE;
        break;
    default:
        parser->state = HTTP_STATE_COMPLETE;
    }
}

void http_set_method(http_parser *parser, flow_method method)
{
    parser->message.framing = framing(parser, method);
    set_state(parser);
    if (!parser->message.is_response || method != METHOD_UNKNOWN || parser->state == HTTP_STATE_COMPLETE)
        return;
    bool short_body = parser->state == HTTP_STATE_LENGTH && parser->body_left < HTTP_PEEK_BYTES;
    parser->peek_need = short_body ? (uint8_t)parser->body_left : HTTP_PEEK_BYTES;
    parser->head_last = parser->message.last;
    parser->state = HTTP_STATE_PEEK;
}

/* ---- Bodies --------------------------------------------------------------------------------- */

static void note_body(http_parser *parser, ka_moment at)
{
    if (parser->message.body.frame == 0)
        parser->message.body = at;
}

static http_event feed_chunked(http_parser *parser, const char *bytes, size_t len_bytes, size_t *taken)
{
    switch (chunked_take(&parser->chunked, bytes, len_bytes, taken, &parser->message.body_bytes)) {
    case CHUNKED_COMPLETE:
        parser->state = HTTP_STATE_COMPLETE;
        return HTTP_COMPLETE;
    case CHUNKED_MALFORMED:
        return HTTP_MALFORMED;
    default:
        return HTTP_MORE;
    }
}

static http_event parse_chunked(http_parser *parser, stream_run *run)
{
    size_t taken;
    if (run->captured_bytes == 0)
        return HTTP_MORE;
    note_body(parser, run->at);
    http_event event = feed_chunked(parser, (const char *)run->bytes, run->captured_bytes, &taken);
    http_take(parser, run, taken);
    return event;
}

static void count_body(http_parser *parser, uint64_t len_bytes)
{
    if (parser->state == HTTP_STATE_UNTIL_CLOSE)
        parser->message.body_bytes += len_bytes;
    if (parser->state == HTTP_STATE_LENGTH && (parser->body_left -= len_bytes) == 0)
        parser->state = HTTP_STATE_COMPLETE;
}

static http_event parse_counted(http_parser *parser, stream_run *run)
{
    uint64_t len_bytes = run->len_bytes;
    if (parser->state == HTTP_STATE_LENGTH && len_bytes > parser->body_left)
        len_bytes = parser->body_left;
    if (len_bytes == 0)
        return HTTP_MORE;
    note_body(parser, run->at);
    http_take(parser, run, len_bytes);
    count_body(parser, len_bytes);
    return parser->state == HTTP_STATE_COMPLETE ? HTTP_COMPLETE : HTTP_MORE;
}

/* What was peeked at was body. */
static http_event end_peek(http_parser *parser)
{
    uint8_t peeked = parser->peeked;
    size_t taken;
    parser->peeked = 0;
    if (peeked > 0)
        note_body(parser, parser->peek_first);
    parser->state = parser->message.framing == KA_FRAMING_LENGTH    ? HTTP_STATE_LENGTH
                    : parser->message.framing == KA_FRAMING_CHUNKED ? HTTP_STATE_CHUNKED
                                                                    : HTTP_STATE_UNTIL_CLOSE;
    if (parser->state == HTTP_STATE_CHUNKED)
        return peeked == 0 ? HTTP_MORE : feed_chunked(parser, response_start, peeked, &taken);
    count_body(parser, peeked);
    return HTTP_MORE;
}

/* The request is unknown and may have been a HEAD. If another response follows right behind, it was. */
static http_event parse_peek(http_parser *parser, stream_run *run)
{
    while (run->captured_bytes > 0 && parser->peeked < parser->peek_need) {
        if (run->bytes[0] != (uint8_t)response_start[parser->peeked])
            return end_peek(parser);
        if (parser->peeked++ == 0) {
            parser->peek_first = run->at;
            parser->peek_seq = run->seq;
            parser->peek_ack = run->ack;
        }
        http_take(parser, run, 1);
    }
    if (parser->peeked < parser->peek_need)
        return HTTP_MORE;
    parser->message.framing = KA_FRAMING_NONE;
    parser->message.body_bytes = 0;
    parser->message.len_bytes -= parser->peeked;
    parser->message.last = parser->head_last;
    parser->state = HTTP_STATE_COMPLETE;
    return HTTP_COMPLETE;
}

bool http_next(stream_context *context, http_parser *parser)
{
    uint8_t peeked = parser->peeked;
    if (peeked == 0)
        return false;
    ka_message begun = {.first = parser->peek_first, .seq = parser->peek_seq, .ack = parser->peek_ack};
    http_reset(parser);
    parser->message = begun;
    parser->message.len_bytes = peeked;
    parser->state = HTTP_STATE_HEAD;
    return http_append(context, parser, response_start, peeked);
}

/* ---- The whole ------------------------------------------------------------------------------ */

static http_event parse_start(http_parser *parser, const stream_run *run)
{
    if (run->captured_bytes == 0)
        return HTTP_MORE;
    parser->message.seq = run->seq;
    parser->message.ack = run->ack;
    parser->message.first = run->at;
    parser->state = run->bytes[0] == '\r' ? HTTP_STATE_STRAY : HTTP_STATE_HEAD;
    return HTTP_MORE;
}

static http_event parse_stray(http_parser *parser, stream_run *run)
{
    while (run->captured_bytes > 0) {
        bool is_lf = parser->message.len_bytes == 1;
        if (run->bytes[0] != (is_lf ? '\n' : '\r'))
            return HTTP_MALFORMED;
        http_take(parser, run, 1);
        if (is_lf)
            return HTTP_STRAY;
    }
    return HTTP_MORE;
}

http_event http_parse(stream_context *context, http_parser *parser, stream_run *run)
{
    if (parser->state == HTTP_STATE_START)
        parse_start(parser, run);
    http_event event = HTTP_MORE;
    if (parser->state == HTTP_STATE_PEEK)
        event = parse_peek(parser, run);
    switch (event == HTTP_MORE ? parser->state : HTTP_STATE_START) {
    case HTTP_STATE_STRAY:
        event = parse_stray(parser, run);
        break;
    case HTTP_STATE_HEAD:
        event = http_parse_head(context, parser, run);
        break;
    case HTTP_STATE_LENGTH:
    case HTTP_STATE_UNTIL_CLOSE:
        event = parse_counted(parser, run);
        break;
    case HTTP_STATE_CHUNKED:
        event = parse_chunked(parser, run);
        break;
    case HTTP_STATE_COMPLETE:
        event = HTTP_COMPLETE;
        break;
    default:
        break;
    }
    if (event == HTTP_MORE && !http_keep_fields(context, parser))
        return HTTP_TOO_LONG;
    return event;
}

bool http_skip(http_parser *parser, uint32_t len_bytes, const ka_moment *at)
{
    if (parser->state == HTTP_STATE_PEEK && end_peek(parser) != HTTP_MORE)
        return false;
    switch (parser->state) {
    case HTTP_STATE_LENGTH:
        if (len_bytes > parser->body_left)
            return false;
        /* fall through */
    case HTTP_STATE_UNTIL_CLOSE:
        count_body(parser, len_bytes);
        parser->message.len_bytes += len_bytes;
        break;
    case HTTP_STATE_CHUNKED:
        if (!chunked_skip(&parser->chunked, len_bytes, &parser->message.body_bytes))
            return false;
        parser->message.len_bytes += len_bytes;
        break;
    default:
        return false;
    }
    if (at != NULL)
        parser->message.last = *at;
    return true;
}

bool http_finish(http_parser *parser, ka_moment at)
{
    if (parser->state == HTTP_STATE_PEEK && parser->message.framing == KA_FRAMING_UNTIL_CLOSE)
        end_peek(parser);
    if (parser->state != HTTP_STATE_UNTIL_CLOSE)
        return false;
    parser->state = HTTP_STATE_COMPLETE;
    parser->message.last = at;
    return true;
}

half_role http_plausible_start(const uint8_t *bytes, size_t len_bytes)
{
    const char *text = (const char *)bytes;
    if (len_bytes > HTTP_PEEK_BYTES && memcmp(text, response_start, HTTP_PEEK_BYTES) == 0)
        return HALF_RESPONSES;
    if (len_bytes == 0 || start_line_token(text, 1) == 0)
        return HALF_ROLE_UNKNOWN;
    const char *lf = memchr(text, '\n', len_bytes);
    if (lf != NULL && start_line_whole(text, (size_t)(lf + 1 - text)) == START_LINE_REQUEST)
        return HALF_REQUESTS;
    return HALF_ROLE_UNKNOWN;
}
